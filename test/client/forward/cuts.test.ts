/** Resets: whole or cut, never mixed. */

import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { startProgram } from '../../support/program.js'
import { type Both, DOWN, isWholeOrCut, started } from './known-streams.js'
import { startPipingServer } from './rig.js'

t.setTimeout(120_000)

/** Each breaks something of a connection that is running. */
const BREAKS: Readonly<Record<string, (both: Both) => void>> = {
  'the program resets': ({ near }) => near.socket.resetAndDestroy(),
  'the service resets': ({ far }) => far.socket.resetAndDestroy(),
  nothing: () => {},
}

/** Where it runs, and the way that is taken there. */
const WAYS: Readonly<Record<string, (t: Test) => Promise<string>>> = {
  duplex: async (t) => new URL((await startProgram(t)).base).origin,
  pipes: startPipingServer,
}

for (const [way, start] of Object.entries(WAYS)) {
  t.test(
    `by ${way}, resets at random moments: each end has a part from the beginning and a cut, or all of it`,
    async (t) => {
      const server = await start(t)
      const { pair, begin } = await started(t, server, 'x')
      for (let round = 0; round < 5; round++) {
        for (const [what, breakIt] of Object.entries(BREAKS)) {
          const both = await begin()
          const moment = Math.random() * DOWN.length
          await eventually(() => both.near.bytes + both.far.bytes >= moment || 'it has not come so far', { everyMs: 1 })
          breakIt(both)
          const [near, far] = await Promise.all([both.near.ended, both.far.ended])
          isWholeOrCut(t, both, what)
          if (what === 'nothing') t.same([near, far], ['end', 'end'])
        }
      }
      t.equal(pair.listener.exit, undefined)
      t.ok(pair.listener.news('opened').every((news) => news.way === way))
      if (way === 'duplex') await eventually(() => isIdle(server))
    },
  )
}

/** Nothing is left on the gateway but what the two sides tell each other. */
async function isIdle(server: string): Promise<true | string> {
  const { waiting, streaming } = (await (await fetch(`${server}/api/v1/pipe/health`)).json()) as Record<string, number>
  return (waiting === 0 && streaming === 2) || `${waiting} wait, ${streaming} are running`
}
