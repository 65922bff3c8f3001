/** native/sockets/stage.c by itself, under the sanitizers: every byte of every part that is sent from a stage. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { compile, link, SANITIZED } from '../../reader/driver.js'
import { PROJECT } from '../../support/project.js'
import { amount } from '../../support/thorough.js'

t.setTimeout(300_000)

const run = promisify(execFile)
const SOCKETS = join(PROJECT, 'gateway/native/sockets')
const READS = amount(60, 2000)

const flags = [...SANITIZED, '-D_GNU_SOURCE', '-iquote', SOCKETS]
const sources = [join(PROJECT, 'test/gateway/native/stage/driver.c'), join(SOCKETS, 'stage.c')]
const program = link(sources.map((source) => compile(source, flags)))

/** Returns how many bytes left without being copied. Rejects when one of all was not what was sent. */
async function drive(seed: number, descriptors: number): Promise<number> {
  const { stdout } = await run(program, [String(seed), String(READS), String(descriptors)])
  return Number(stdout)
}

t.test('random parts of random reads', async (t) => {
  for (let seed = 1; seed <= amount(3, 20); seed++) {
    const staged = await drive(seed, 0)
    t.ok(staged > READS * 200_000, `seed ${seed}: ${staged} bytes were not copied`)
  }
})

t.test('without descriptors for it all is copied', async (t) => {
  for (const descriptors of [1, 4, 8]) t.equal(await drive(4, descriptors), 0, `${descriptors} may be opened`)
})
