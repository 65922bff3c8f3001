import { randomFillSync } from 'node:crypto'
import { definePlugin, type Host, isDoneOfMany } from '../../gateway/host/plugin-api.js'
import { type AccessLogConfig, accessLogConfig, readSalt } from './config.js'
import { LineFormatter } from './line-formatter.js'
import { CHECK_MS, Output } from './output.js'
import { Pseudonyms } from './pseudonym.js'

/** One for all threads: hashes of the same text are the same. */
function drawnSalt({ sharedMemory }: Pick<Host, 'sharedMemory'>): Buffer {
  return Buffer.from(sharedMemory('salt', 32, (memory) => randomFillSync(memory)))
}

/** One JSON line for each request and for each transfer that is over. */
export default definePlugin<AccessLogConfig>({
  name: 'access-log',
  api: 1,
  scope: 'thread',
  summary: 'One JSON line for each request and each transfer.',
  config: accessLogConfig,

  setup(host) {
    const { config } = host
    const lines = new LineFormatter(
      config,
      new Pseudonyms(readSalt(config, process.env) ?? drawnSalt(host)),
      host.prefix,
    )
    const where = config.output === 'stdout' ? config.output : { file: host.resolve(config.output.file) }
    const output = new Output(where, host.log)
    const names = host.slot<string>()
    return {
      hooks: {
        ...(config.requests && {
          onAdmit(_request, join) {
            names.set(join, join.name)
          },
          onRequestEnded(record, context) {
            output.line(lines.request(record, context, names.get(context)), 'request')
          },
        }),
        ...(config.transfers && {
          onEnded(pipe) {
            if (!isDoneOfMany(pipe)) output.line(lines.transfer(pipe), 'transfer')
          },
        }),
      },
      async start() {
        await output.open()
        host.every(CHECK_MS, () => output.check())
      },
      stop: () => output.close(),
    }
  },
})
