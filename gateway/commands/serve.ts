import type { CommandResult } from '../../client/cli/command.js'
import { createLog, type ProcessLog } from '../log/log.js'
import { Gateway } from '../serve/gateway.js'
import { packageVersion } from '../serve/package-version.js'
import { Threads } from '../serve/threads/threads.js'
import type { CommandInput } from './command-input.js'
import { lacksProtection, type Protected, protect } from './protection.js'
import { startBanner } from './start-banner.js'
import { hasTerminal } from './terminal.js'

/** `pipegate serve`: serves until a signal. */
export async function serve(input: CommandInput): Promise<CommandResult> {
  const processLog = createLog(input.config)
  const log = processLog.logger
  const { gateway, served, port, bannerWith } = await started(input, processLog).catch(async (error: unknown) => {
    for (const warning of processLog.endStart()) processLog.print(`! ${warning}\n`)
    // What stopped it is printed below them.
    await processLog.flush()
    throw error
  })
  const { config } = gateway
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  // Before the line that tells a supervisor that it may send signals.
  const { first, second, received } = signals()
  const beganOnTerminal = hasTerminal()
  process.on('SIGHUP', (signal) => {
    // Closing the terminal ends what was started on it.
    if (beganOnTerminal && !hasTerminal()) received(signal)
    else served.reload()
  })
  const url = `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}${config.prefix}/`
  log.info({ url, version: packageVersion(), node: process.version }, 'listening')
  const warnings = processLog.endStart()
  if (bannerWith !== undefined) processLog.print(bannerWith(warnings))
  const signal = await first
  log.info({ signal, drainSeconds: config.drain }, 'draining')
  const outcome = await Promise.race([served.stop(), second])
  log.info({}, outcome === undefined ? 'stopped' : 'stopped at the second signal')
  await processLog.flush()
  return { text: '', exitCode: outcome === undefined ? 0 : 1 }
}

/** What serves: one gateway, or several in threads. */
interface Served {
  start(): Promise<number>
  reload(): void
  stop(): Promise<void>
}

interface Started {
  /** Where several serve, one like them, which does not. */
  readonly gateway: Gateway
  readonly served: Served
  readonly port: number
  /** Undefined where the lines of the log tell of the start. */
  readonly bannerWith: ((warnings: readonly string[]) => string) | undefined
}

async function started(input: CommandInput, processLog: ProcessLog): Promise<Started> {
  const { gateway, chosen } = await protectedGateway(input, processLog)
  const { config } = gateway
  const served = config.threads === 1 ? gateway : severalLike(gateway, chosen, processLog)
  processLog.logger.info({ plugins: gateway.plugins }, 'plugins, in the order in which they are asked')
  const banner = processLog.hasBanner ? await startBanner(gateway, chosen.token) : undefined
  const port = await served.start()
  return { gateway, served, port, bannerWith: banner && ((warnings) => banner(port, warnings)) }
}

/** As many as the configuration says, in threads. */
function severalLike(gateway: Gateway, { config, plugins }: Protected, { look, logger, print }: ProcessLog): Served {
  gateway.announce()
  return new Threads({
    config,
    plugins: plugins(),
    front: gateway,
    look,
    logger,
    print,
    entry: new URL('../thread.js', import.meta.url),
  })
}

/** The gateway, after a person has said who may use it if nothing else does. Only its plugins know whether they let in everybody. */
async function protectedGateway(
  input: CommandInput,
  log: ProcessLog,
): Promise<{ gateway: Gateway; chosen: Protected }> {
  const { config, loadPlugins, again } = input
  const gateway = new Gateway(config, log, await loadPlugins(), again)
  if (!lacksProtection(config, gateway.everybodyAuthenticates)) return { gateway, chosen: input }
  await gateway.stop(0)
  const chosen = await protect(input)
  return { gateway: new Gateway(chosen.config, log, await chosen.loadPlugins(), again), chosen }
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
