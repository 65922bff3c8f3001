/** Whether both sides come to the same gateway, and what is on the way. */
import { randomInt } from 'node:crypto'
import type { Call } from './call.js'
import { until } from './call.js'
import type { Chain } from './chain.js'
import { bad, type Check, type Finding, ok, time } from './check.js'
import { MENDS } from './mend.js'

const NAMES = 20
const REACH_MS = 8000
const MEET_MS = 5000

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
    return bad('fail', seen, 'That is no pipegate, or the proxy has another one for this path.', MENDS.reach, measured)
  },
}

/** Both sides of some names, each by another form of the address, in an order that no rotation of nodes can fit by chance. */
export const meet: Check = {
  name: 'meet',
  async run(chain) {
    const across = await meetings(chain, 'meet', (side) => side)
    if (across.met === NAMES)
      return ok(`both sides of ${NAMES} names met${formsOf(chain)}`, { names: NAMES, met: NAMES })
    if (chain.paths.length === 1) return apart(across)
    // One form by itself: it may be that the other one is not served, or goes elsewhere.
    const first = await meetings(chain, 'first', () => 0)
    if (first.met !== NAMES) return apart(first)
    const [underPrefix] = chain.paths
    chain.paths = [underPrefix!]
    const measured = { names: NAMES, met: across.met, metUnderPrefix: first.met }
    if (across.status === 404 || across.status === 405) {
      return ok(
        `both sides of ${NAMES} names met under ${underPrefix}; names without it answer ${across.status}`,
        measured,
      )
    }
    const seen = `${across.met} of ${NAMES} names met when one side says ${underPrefix}NAME and the other one /NAME`
    return bad('fail', seen, 'Who uses different forms of an address waits for nobody.', MENDS.nodes, measured)
  },
}

interface Meetings {
  readonly met: number
  /** Of one that did not. */
  readonly status: number | undefined
  readonly line: string
}

async function meetings(chain: Chain, what: string, form: (side: number) => number): Promise<Meetings> {
  const pairs = Array.from({ length: NAMES }, (_, i) => ({ name: chain.name(`${what}-${i}`), calls: [] as Call[] }))
  const openings = pairs.flatMap(({ name, calls }) => [
    () => {
      const send = chain.send(name, name.length, { form: form(0), query: '?reply=end&wait=10' })
      void send.write(name)
      send.finish()
      calls.push(send)
    },
    () => calls.push(chain.receive(name, { form: form(1) })),
  ])
  // One after the other, in a random order: at once they would be dealt out in turns, or by whoever connects first.
  while (openings.length > 0) {
    openings.splice(randomInt(openings.length), 1)[0]!()
    await until(() => false, 2)
  }
  const isMet = ({ name, calls }: (typeof pairs)[number]) =>
    calls.some((call) => call.status === 200 && call.end === 'complete' && call.text === name)
  await until(() => pairs.every(isMet), MEET_MS)
  const apart = pairs.filter((pair) => !isMet(pair))
  for (const { calls } of pairs) for (const call of calls) call.leave()
  const odd = apart.flatMap(({ calls }) => calls).find(({ status }) => status !== undefined && status !== 200)
  return { met: pairs.length - apart.length, status: odd?.status, line: odd?.lastLine ?? '' }
}

function formsOf({ paths }: Chain): string {
  return paths.length === 1 ? '' : `, one side at ${paths[0]}NAME and the other one at ${paths[1]}NAME`
}

function apart({ met, status, line }: Meetings): Finding {
  const measured = { names: NAMES, met, status: status ?? null }
  if (met === 0 && status !== undefined) {
    return bad('fail', `no transfer is possible: ${status} ${line}`, 'The line says why.', {}, measured)
  }
  const seen = `both sides met on ${met} of ${NAMES} names`
  return bad(
    'fail',
    seen,
    'There are several gateways, and the two sides of a name come to different ones.',
    MENDS.nodes,
    measured,
  )
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
    return bad('warn', seen, means, MENDS.head, measured)
  },
}

async function largest(sizes: readonly number[], open: (bytes: number) => Call): Promise<number> {
  for (const bytes of sizes) {
    const call = open(bytes)
    await until(() => call.end !== undefined, 3000)
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
    await until(() => call.end !== undefined, 3000)
    const told = /\bhttps?:\/\/[^/\s]+/.exec(call.text)?.[0]
    const { origin } = chain.target.url
    if (call.status !== 200 || told === undefined) return { verdict: 'skip', seen: 'the help text has no address' }
    if (told === origin) return ok(`the gateway takes ${told} for its address`, { told })
    const seen = `the gateway takes ${told} for its address, and it is ${origin}`
    return bad(
      'warn',
      seen,
      'The addresses that it gives out, in its help, its pages and links, are wrong.',
      MENDS.forwarded,
      { told },
    )
  },
}
