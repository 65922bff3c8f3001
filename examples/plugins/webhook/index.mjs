// "Ping me when it is done": posts a line of JSON when a transfer has ended.
import { definePlugin, PLUGIN_API, z } from 'pipegate/plugin'

export default definePlugin({
  name: 'webhook',
  api: PLUGIN_API,
  summary: 'posts to a URL when a transfer has ended',
  config: z.strictObject({
    url: z.url(),
    /** Maximum number of posts in flight; further ones are dropped, and logged. */
    atOnce: z.int().min(1).default(16),
  }),
  setup(host) {
    const underWay = new Set()
    async function post(body) {
      try {
        const response = await fetch(host.config.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(10_000),
        })
        if (!response.ok) host.log.warn({ status: response.status }, 'the webhook refused')
      } catch (error) {
        host.log.warn({ err: error }, 'the webhook could not be reached')
      }
    }
    return {
      hooks: {
        // Called when the transfer is over; nothing that happens here affects it.
        onEnded(pipe) {
          if (pipe.pairedAt === undefined) return
          if (underWay.size >= host.config.atOnce) {
            host.log.warn({ transferId: pipe.transferId }, 'too many webhooks at once, this one is dropped')
            return
          }
          const posting = post({
            name: pipe.key,
            transferId: pipe.transferId,
            complete: pipe.endReason === 'complete',
            reason: pipe.endReason,
            bytes: pipe.bytesIn,
            seconds: (pipe.endedAt - pipe.pairedAt) / 1000,
          }).finally(() => underWay.delete(posting))
          underWay.add(posting)
        },
      },
      // The gateway waits for this before it exits.
      async stop() {
        await Promise.all(underWay)
      },
    }
  },
})
