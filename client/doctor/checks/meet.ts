import { randomInt } from 'node:crypto'
import { type Call, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, type Finding, ok } from '../check.js'
import { REMEDIES } from '../remedies.js'

const NAMES = 20
const MEET_MS = 8000

/** Both sides of some names, by different forms of the address and by one, in an order that no rotation of nodes can fit by chance. */
export const meet: Check = {
  name: 'meet',
  async run(chain) {
    // One form by itself as well: it may be that the other one is not served, or goes elsewhere.
    const across = pairs(chain, 'across', (side) => side)
    const alone = pairs(chain, 'alone', () => 0)
    await open([...across, ...alone])
    const [acrossMet, aloneMet] = [met(across), met(alone)]
    const measured = { names: NAMES, met: acrossMet, metInOneForm: aloneMet }
    if (acrossMet === NAMES && aloneMet === NAMES)
      return ok(`both sides of ${NAMES} names met${formsOf(chain)}`, measured)
    if (chain.paths.length === 1 || aloneMet !== NAMES) return apart(aloneMet === NAMES ? across : alone, measured)
    const [underPrefix] = chain.paths
    chain.paths = [underPrefix!]
    const status = refusal(across)?.status
    if (status === 404 || status === 405) {
      return ok(`both sides of ${NAMES} names met under ${underPrefix}; names without it answer ${status}`, measured)
    }
    const seen = `${acrossMet} of ${NAMES} names met when one side says ${underPrefix}NAME and the other one /NAME`
    return bad('fail', seen, 'Who uses different forms of an address waits for nobody.', REMEDIES.nodes, measured)
  },
}

interface Pair {
  readonly name: string
  readonly openings: readonly (() => Call)[]
  readonly calls: Call[]
}

/** @param form of the address, for the sender (0) and the receiver (1) */
function pairs(chain: Chain, what: string, form: (side: number) => number): Pair[] {
  return Array.from({ length: NAMES }, (_, i) => {
    const name = chain.name(`${what}-${i}`)
    const send = () => {
      const call = chain.send(name, name.length, { form: form(0), query: '?reply=end&wait=10' })
      void call.write(name)
      call.finish()
      return call
    }
    return { name, openings: [send, () => chain.receive(name, { form: form(1) })], calls: [] }
  })
}

/**
 * One after the other, and in a random order. At once, or in turns, two nodes could be dealt out so that each pair is on one by
 * chance.
 */
async function open(all: readonly Pair[]): Promise<void> {
  const openings = all.flatMap((pair) => pair.openings.map((opening) => () => pair.calls.push(opening())))
  while (openings.length > 0) {
    openings.splice(randomInt(openings.length), 1)[0]!()
    await until(() => false, 2)
  }
  await until(() => all.every((pair) => isMet(pair) || refusal([pair]) !== undefined), MEET_MS)
  for (const { calls } of all) for (const call of calls) call.leave()
}

function isMet({ name, calls }: Pair): boolean {
  return calls.some(({ status, end, text }) => status === 200 && end === 'complete' && text === name)
}

const met = (all: readonly Pair[]) => all.filter(isMet).length

/** One that says why. */
function refusal(all: readonly Pair[]): Call | undefined {
  return all.flatMap(({ calls }) => calls).find(({ status = 200 }) => status !== 200)
}

function formsOf({ paths }: Chain): string {
  return paths.length === 1 ? '' : `, one side at ${paths[0]}NAME and the other one at ${paths[1]}NAME`
}

function apart(all: readonly Pair[], measured: Finding['measured'] = {}): Finding {
  const refused = refusal(all)
  if (met(all) === 0 && refused !== undefined) {
    const seen = `no transfer is possible: ${refused.status} ${refused.lastLine}`
    return bad('fail', seen, 'The line says why.', {}, { ...measured, status: refused.status! })
  }
  const seen = `both sides met on ${met(all)} of ${NAMES} names`
  const means = 'There are several gateways, and the two sides of a name come to different ones.'
  return bad('fail', seen, means, REMEDIES.nodes, measured)
}
