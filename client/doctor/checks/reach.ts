/** What answers at the address, and which address it takes for its own. */
import { until } from '../call.js'
import { bad, type Check, ok, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const REACH_MS = 8000

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
    if (call.headers['x-pipe-code'] === 'UNKNOWN_HOST') {
      const means = 'On a loopback address it answers to loopback names only, and elsewhere to those that are set.'
      return bad('fail', `the gateway does not answer to this host (${call.status})`, means, REMEDIES.hosts, measured)
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
      'The addresses that it gives out, in its help, its pages and links, and to workers for their answers, are wrong.',
      REMEDIES.forwarded,
      { told },
    )
  },
}
