import { definePlugin, type HeaderList, type RequestView } from '../../gateway/host/plugin-api.js'
import { type Config, schema } from './config.js'
import { FOR_ANYBODY, FOR_NOBODY, forOrigin, preflightHeaders } from './headers.js'

/** What a browser sends, and fit to be sent back. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]{1,512}$/

/**
 * Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol): every response says which pages may read it, and
 * preflights are answered before anybody asks who they are, for they carry no credentials.
 */
export default definePlugin<Config>({
  name: 'cors',
  api: 1,
  scope: 'thread',
  summary: 'Lets pages of other origins use this gateway.',
  first: true,
  config: schema,

  setup(host) {
    const { config } = host
    const { origins = [] } = config
    const listed = new Set(origins)
    let isOpen = listed.has('*')
    const headersFor = (origin: string): HeaderList => {
      if (!isOpen && !listed.has(origin)) return FOR_NOBODY
      // `null` is any page in a sandbox, so that nobody's credentials may go with it.
      return ORIGIN.test(origin) ? forOrigin(origin) : FOR_ANYBODY
    }
    return {
      pageOrigins: origins,
      start() {
        // Nobody gets in without a token then, and a page that has one may use it. The gateway's own rule for pages holds as ever.
        isOpen ||= config.origins === undefined && host.everybodyAuthenticates()
      },
      hooks: {
        onRequest(request, context) {
          // What other services let pages read is for them to say.
          if (context.claimedBy !== undefined) return
          const headers = headersFor(request.header('origin'))
          context.addHeadersAlways(headers)
          // A preflight of a page that is not allowed is a plain OPTIONS, and its answer allows nothing.
          if (headers === FOR_NOBODY || !isPreflight(request)) return
          // An address that the page's own network cannot reach: only for those that the operator has named.
          const privateNetwork =
            origins.length > 0 && request.header('access-control-request-private-network') === 'true'
          return { status: 204, headers: preflightHeaders(privateNetwork), body: '' }
        },
      },
    }
  },
})

function isPreflight(request: RequestView): boolean {
  return request.method === 'OPTIONS' && request.header('access-control-request-method') !== ''
}
