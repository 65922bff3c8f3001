import { definePlugin, PLUGIN_API, Refusal, z } from '../../gateway/host/plugin-api.js'
import { audienceOf, captureOf } from './options.js'
import type { Audience } from './page/asked.js'
import { capturePage } from './page/capture.js'
import { playerPage } from './page/player.js'

const FAILURES = {
  both: {
    status: 400,
    message: '?live is for whoever comes, and ?n={n} for as many as that.',
    hint: 'Leave out one of the two.',
  },
} as const

/** Pages for moving pictures and sound: `?video` plays a stream, `?share` makes one of a screen, a camera or a microphone. */
export default definePlugin({
  name: 'media',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'Plays a stream (?video), and makes one of a screen, a camera or a microphone (?share).',
  config: z.strictObject({}),
  failures: FAILURES,

  setup(host) {
    /** Two answers to who may come cannot both hold. */
    const checked = <A extends Audience>(audience: A | Refusal): A | Refusal => {
      if (audience instanceof Refusal || audience.live !== true || (audience.n ?? 1) === 1) return audience
      return host.refuse('both', { n: audience.n! })
    }
    return {
      modes: [
        {
          param: 'video',
          // As the page that receives: it shows what its address has, and what it asks for then is asked for as by anybody.
          open: true,
          page: true,
          handle: (request, reply, join) => {
            const audience = checked(audienceOf(request.query))
            reply.give(audience instanceof Refusal ? audience : playerPage(join.name, request.query))
          },
        },
        {
          param: 'share',
          open: true,
          page: true,
          handle: (request, reply, join) => {
            const asked = checked(captureOf(request.query))
            reply.give(asked instanceof Refusal ? asked : capturePage(join.name, asked, host.has('links')))
          },
        },
      ],
    }
  },
})
