import type { CommandResult } from '../../client/cli/command.js'
import { createLog } from '../log/log.js'
import { Gateway } from '../serve/gateway.js'
import { packageVersion } from '../serve/package-version.js'
import type { CommandInput } from './command-input.js'
import { hasTerminal } from './terminal.js'

/** `pipegate serve`: serves until a signal. */
export async function serve({ config, again, loadPlugins }: CommandInput): Promise<CommandResult> {
  const processLog = createLog(config)
  const log = processLog.logger
  const gateway = new Gateway(config, processLog, await loadPlugins(), again)
  log.info({ plugins: gateway.plugins }, 'plugins, in the order in which they are asked')
  const port = await gateway.start()
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  // Before the line that tells a supervisor that it may send signals.
  const { first, second, received } = signals()
  const beganOnTerminal = hasTerminal()
  process.on('SIGHUP', (signal) => {
    // Closing the terminal ends what was started on it.
    if (beganOnTerminal && !hasTerminal()) received(signal)
    else gateway.reload()
  })
  const url = `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}${config.prefix}/`
  log.info({ url, version: packageVersion(), node: process.version }, 'listening')
  const signal = await first
  log.info({ signal, drainSeconds: config.drain }, 'draining')
  const outcome = await Promise.race([gateway.stop(), second])
  log.info({}, outcome === undefined ? 'stopped' : 'stopped at the second signal')
  await processLog.flush()
  return { text: '', exitCode: outcome === undefined ? 0 : 1 }
}

/**
 * The first and the second signal that ask to stop. The listeners stay: without one, even for the moment between the two, a
 * signal ends the process at once.
 */
function signals(): Signals {
  const waiting: ((signal: string) => void)[] = []
  const next = () => new Promise<string>((resolve) => waiting.push(resolve))
  const received = (signal: string) => waiting.shift()?.(signal)
  process.on('SIGTERM', received).on('SIGINT', received)
  return { first: next(), second: next(), received }
}

interface Signals {
  readonly first: Promise<string>
  readonly second: Promise<string>
  /** A signal was received that asks to stop. */
  readonly received: (signal: string) => void
}
