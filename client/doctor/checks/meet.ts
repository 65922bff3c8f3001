/** Whether both sides come to the same gateway, and what is on the way. */
import { randomInt } from 'node:crypto'
import type { Call } from '../call.js'
import { until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, type Finding, ok, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const NAMES = 20
const REACH_MS = 8000
const MEET_MS = 8000

/** The gateway's health answer. Only `fail` and `warn` when somebody answers at all. */
export const reach: Check = {
  name: 'reach',
  async run(chain) {
    const from = performance.now()
    const call = chain.receive('health', {})
    await until(() => call.end !== undefined, REACH_MS)
    const ms = performance.now() - from
    if (call.status === undefined) throw new Error(call.why === '' ? `no answer within ${time(REACH_MS)}` : call.why)
    const measured = { status: call.status, ms: Math.round(ms) }
    if (call.status === 200 && call.text.includes('"status"')) return ok(`the gateway answers in ${time(ms)}`, measured)
    if (call.status === 503 && call.text.includes('"status"')) {
      return bad('warn', 'the gateway drains (503)', 'It takes no new transfers.', {}, measured)
    }
    const seen = `${chain.target.url.origin}${chain.paths[0]}health answers with ${call.status}`
    return bad(
      'fail',
      seen,
      'That is no pipegate, or the proxy has another one for this path.',
      REMEDIES.reach,
      measured,
    )
  },
}

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

const HEADS = [30_000, 16_000, 8000, 4000, 2000]
const LINES = [8000, 4000, 2000, 1000]

/** The largest head and the longest request line that come through. */
export const head: Check = {
  name: 'head',
  async run(chain) {
    const filler = (bytes: number) =>
      Object.fromEntries(Array.from({ length: bytes / 1000 }, (_, i) => [`x-doctor-${i}`, 'x'.repeat(980)]))
    const [headBytes, lineBytes] = await Promise.all([
      largest(HEADS, (bytes) => chain.receive('health', { headers: filler(bytes) })),
      largest(LINES, (bytes) => chain.receive('health', { query: `?${'x'.repeat(bytes)}` })),
    ])
    const measured = { headBytes, lineBytes }
    const seen = `a head of ${headBytes} bytes and an address of ${lineBytes} come through`
    if (headBytes === HEADS[0] && lineBytes === LINES[0]) return ok(seen, measured)
    const means = 'A gateway takes 32 KiB. Long tokens, cookies and X-Piping headers are refused before it sees them.'
    return bad('warn', seen, means, REMEDIES.head, measured)
  },
}

async function largest(sizes: readonly number[], open: (bytes: number) => Call): Promise<number> {
  for (const bytes of sizes) {
    const call = open(bytes)
    await until(() => call.end !== undefined, REACH_MS)
    if (call.status === 200 || call.status === 503) return bytes
    call.leave()
  }
  return 0
}

/** What the gateway takes for its own address: it stands in its help text. */
export const forwarded: Check = {
  name: 'forwarded',
  async run(chain) {
    const call = chain.receive('help', {})
    await until(() => call.end !== undefined, REACH_MS)
    const told = /\bhttps?:\/\/[^/\s]+/.exec(call.text)?.[0]
    const { origin } = chain.target.url
    if (call.status !== 200 || told === undefined) return { verdict: 'skip', seen: 'the help text has no address' }
    if (told === origin) return ok(`the gateway takes ${told} for its address`, { told })
    const seen = `the gateway takes ${told} for its address, and it is ${origin}`
    return bad(
      'warn',
      seen,
      'The addresses that it gives out, in its help, its pages and links, are wrong.',
      REMEDIES.forwarded,
      { told },
    )
  },
}
