/** What a gateway keeps of being asked to read its certificates again. */

import { appendFileSync, readFileSync } from 'node:fs'
import t from 'tap'
import { startProgram } from '../../support/program.js'
import { argsFor, exact, make, shown, wild } from './certificates.js'

const SAME = 'certificates read again: they are the same'
const RELOADED = 'certificates reloaded'
const RELOADS = 100

t.test(
  'certificates that are read again and are the same cost no memory; new ones do, as it is documented',
  async (t) => {
    const own = make('own', 'DNS:localhost')
    // Garbage that waits to be collected is not what is looked for.
    const env = { NODE_OPTIONS: '--max-semi-space-size=1' }
    const program = await startProgram(t, argsFor(own, exact, wild), { env })
    const resident = () =>
      Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${program.pid}/smaps_rollup`, 'utf8'))![1])
    let same = 0
    /** In kilobytes for each of a hundred. */
    const growth = async (reload: (i: number) => Promise<unknown>) => {
      const from = resident()
      for (let i = 0; i < RELOADS; i++) await reload(i)
      return (resident() - from) / RELOADS
    }
    const again = () => {
      program.kill('SIGHUP')
      return program.waitForLog(SAME, ++same)
    }
    const warm = await growth(again)
    const ofSame = await growth(again)
    const ofNew = await growth(async (i) => {
      appendFileSync(own.cert, '\n')
      program.kill('SIGHUP')
      await program.waitForLog(RELOADED, i + 1)
    })
    t.comment(
      `kB for each: ${warm.toFixed(1)} at first, ${ofSame.toFixed(1)} of the same, ${ofNew.toFixed(1)} of new ones`,
    )
    t.ok(ofSame < 20, `${ofSame} kB for each that is the same`)
    // Two names besides the default.
    t.ok(ofNew < 300, `${ofNew} kB for each that is new`)
    t.equal(await shown(program.port), 'own')
  },
)
