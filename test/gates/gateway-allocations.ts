/**
 * A gateway that says how many bytes of heap each read took. Run with `ROOMY` and an IPC channel: it sends its port, and for
 * each message it receives what was measured since the one before. With the argument `plugin` one is loaded that has every
 * hook, and does nothing in any of them.
 */
import { SenderEndpoint } from '../../core/pairing/sender-endpoint.js'
import { loadConfig } from '../../gateway/config/config.js'
import { definePlugin, PLUGIN_API, z } from '../../gateway/host/plugin-api.js'
import { logTo } from '../../gateway/log/log.js'
import { Gateway } from '../../gateway/serve/gateway.js'
import { TEST_HOSTS } from '../support/hosts.js'
import { measureHeap } from './heap.js'

export interface Measured {
  readonly reads: number
  /** Undefined: it has to be measured again. */
  readonly bytes: number | undefined
}

const nothing = () => {}
const idle = definePlugin({
  name: 'idle',
  api: PLUGIN_API,
  config: z.strictObject({}),
  setup: () => ({
    hooks: {
      onRequest: nothing,
      onAdmit: nothing,
      onAdmitAsync: async () => {},
      onWaiting: nothing,
      onJoined: nothing,
      onLeft: nothing,
      onLooked: nothing,
      onPaired: nothing,
      onProgress: nothing,
      onEnded: nothing,
      onRefused: nothing,
      onRequestEnded: nothing,
    },
  }),
})
const plugins = process.argv[2] === 'plugin' ? [{ plugin: idle }] : []
const gateway = new Gateway(
  loadConfig({ flags: { port: '0', hosts: TEST_HOSTS }, env: {} }),
  logTo({ write() {} }, { logLevel: 'silent', logFormat: 'json' }),
  plugins,
)
let reads = 0
const feed = SenderEndpoint.prototype.feed
SenderEndpoint.prototype.feed = function (this: SenderEndpoint, bytes) {
  reads++
  feed.call(this, bytes)
}

let allocated = measureHeap()
process.on('message', () => {
  process.send!({ reads, bytes: allocated() } satisfies Measured)
  reads = 0
  allocated = measureHeap()
})
process.on('disconnect', () => process.exit())
process.send!(await gateway.start())
