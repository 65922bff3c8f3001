import { randomFillSync } from 'node:crypto'
import {
  type Answer,
  definePlugin,
  isForTerminal,
  Parameters,
  PLUGIN_API,
  type RequestView,
  type Route,
  readAddress,
  textAnswer,
  z,
} from '../../gateway/host/plugin-api.js'
import { mayAutostart } from './auto-start.js'
import { newName } from './name.js'
import { ICON } from './page/icon.js'
import { noscriptPage } from './page/noscript.js'
import { receivePage } from './page/receive.js'
import { sendPage } from './page/send.js'

/** Pipes are nobody's to find. */
const ROBOTS = textAnswer(200, 'User-agent: *\nDisallow: /\n')

const FAVICON: Answer = {
  status: 200,
  headers: [
    ['Content-Type', 'image/svg+xml'],
    ['Cache-Control', 'public, max-age=86400'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'"],
  ],
  body: ICON,
}

/** Pages for people with a browser: to send at `/`, to receive at `?receive`, and without scripts at `/noscript`. */
export default definePlugin({
  name: 'pages',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'Sends (/) and receives (?receive) in a browser.',
  config: z.strictObject({}),

  setup(host) {
    const { prefix } = host
    const rules = { prefix, bareNames: true }
    /** What stands before the name in addresses that a page gives out: what its own has. */
    const base = ({ path }: RequestView) => {
      const address = readAddress(path, rules)
      return 'underPrefix' in address && address.underPrefix ? prefix : ''
    }
    const links = () => host.has('links')
    /** Whether it comes from this machine, and not through a proxy on it: the addresses of its networks are nobody else's business. */
    const isHere = (request: RequestView) =>
      /^(127\.|::1$|::ffff:127\.)/.test(request.remoteAddress) &&
      ['x-forwarded-for', 'forwarded', 'via'].every((name) => request.header(name) === '')
    const page = (path: `/${string}`, answer: (request: RequestView) => Answer) =>
      ({
        method: 'GET',
        path,
        bare: true,
        handle: (request, reply) => void reply.give(answer(request)),
      }) as const satisfies Route
    return {
      routes: [
        page('/', (request) =>
          sendPage({
            base: base(request),
            links: links(),
            addresses: isHere(request) ? host.gateway.addresses : [],
            mayAutostart: mayAutostart(request),
          }),
        ),
        page('/noscript', (request) => {
          const parameters = new Parameters(request.query)
          return noscriptPage({
            base: base(request),
            name: parameters.get('name') ?? parameters.get('path') ?? '',
            receivers: parameters.get('n') ?? '',
            mode: parameters.get('mode') ?? '',
            wait: parameters.get('wait') ?? '',
            sha256: parameters.switch('sha256') === true,
            suggestion: newName((numbers) => randomFillSync(numbers)),
          })
        }),
        page('/favicon.ico', () => FAVICON),
        page('/robots.txt', () => ROBOTS),
      ],
      modes: [
        {
          param: 'receive',
          // It shows what its address has, and nothing of the pipe: what it asks for then is asked for as by anybody.
          open: true,
          // Who follows a link has not asked for a stream that ends with who takes it, and a robot that draws a preview never does.
          landing: true,
          // To a curl it is a parameter without a meaning: it receives.
          applies: (request) => request.method === 'GET' && !isForTerminal(request),
          handle: (request, reply, join, pipe) =>
            void reply.give(
              receivePage({
                // Where everybody needs credentials, what waits is nothing for who shows none.
                comes: host.everybodyAuthenticates() ? undefined : pipe,
                name: join.name,
                query: request.query,
                base: base(request),
                links: links(),
                mayAutostart: mayAutostart(request),
              }),
            ),
        },
      ],
    }
  },
})
