/** Pages of other origins: clients that run in a browser, and whatever else a browser has open. */
import { type Call, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, type Finding, ok } from '../check.js'
import { REMEDIES } from '../remedies.js'

const ANSWER_MS = 8000
/** Of a site that cannot exist (RFC 2606): who lets it in lets everybody in. */
const STRANGER = 'https://doctor.invalid'

/** Whether pages of the origin that the user named may use names; without one, whether those of a stranger may. */
export const pages: Check = {
  name: 'pages',
  async run(chain) {
    const { origin } = chain.target
    const refused = await refusal(chain, origin ?? STRANGER)
    const measured = { origin: origin ?? null, allowed: refused === undefined }
    return origin === undefined ? ofStrangers(chain, refused, measured) : ofOrigin(origin, refused, measured)
  },
}

function ofOrigin(origin: string, refused: string | undefined, measured: Finding['measured']): Finding {
  if (refused === undefined) return ok(`pages of ${origin} may send, receive and watch`, measured)
  const means = 'A client that runs in such a page cannot use the gateway: the browser tells it of a network error.'
  const line = `plugins: [{ plugin: cors, config: { origins: ['${origin}'] } }]`
  return bad('fail', `pages of ${origin} may not: ${refused}`, means, { pipegate: line }, measured)
}

function ofStrangers(chain: Chain, refused: string | undefined, measured: Finding['measured']): Finding {
  if (refused !== undefined) {
    return ok(
      'pages of other origins may not send, receive or watch; --origin tells whether those of one may',
      measured,
    )
  }
  const credentials = Object.keys(chain.target.headers).some((name) => name.toLowerCase() === 'authorization')
  if (credentials)
    return ok('pages of every origin may send, receive and watch, with credentials as you have them', measured)
  const means = 'Any page that somebody has open, who can reach the gateway, can take transfers and put others in.'
  return bad('warn', 'pages of every origin may send, receive and watch', means, REMEDIES.pages, measured)
}

/** What a browser would meet before it let a script of this origin send, and when it looks; undefined when it may do both. */
async function refusal(chain: Chain, origin: string): Promise<string | undefined> {
  const name = chain.name('pages')
  const said = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
  const asked = chain.open('OPTIONS', name, { headers: { ...said, 'access-control-request-method': 'PUT' } })
  asked.finish()
  const looked = chain.receive(name, { query: '?status', headers: said })
  await Promise.all([asked, looked].map((call) => until(() => call.end !== undefined, ANSWER_MS)))
  for (const call of [asked, looked]) if (call.status === undefined) throw new Error(call.why || 'no answer')
  if (looked.status !== 200) return `${looked.status} ${looked.headers['x-pipe-code'] ?? looked.lastLine}`.trimEnd()
  return [asked, looked].every((call) => allows(call, origin)) ? undefined : 'no Access-Control-Allow-Origin for them'
}

function allows({ headers }: Call, origin: string): boolean {
  const allowed = headers['access-control-allow-origin']
  return allowed === origin || allowed === '*'
}
