#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { ConfigError, helpText, loadConfigWithOrigins, parseCommandLine, renderConfig, UsageError } from './config.js'
import { Gateway } from './gateway.js'
import { createLog } from './log.js'

/** The command line: prints what was asked for, or serves until a signal. Returns the exit code. */
async function main(): Promise<number> {
  const line = parseCommandLine(process.argv.slice(2))
  const { help, version, printConfig } = line.switches
  if (help) return print(helpText())
  if (version) return print(`${packageVersion()}\n`)
  const { config, origins } = loadConfigWithOrigins({ flags: line.values, env: process.env })
  if (printConfig) return print(renderConfig(config, origins))
  return serve(config)
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

async function serve(config: ReturnType<typeof loadConfigWithOrigins>['config']): Promise<number> {
  const log = createLog(config)
  const gateway = new Gateway(config, log)
  const port = await gateway.start()
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  // Before the line that tells a supervisor that it may begin to send them.
  const { first, second } = signals()
  const url = `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}${config.prefix}/`
  log.info({ url, version: packageVersion(), node: process.version }, 'listening')
  const signal = await first
  log.info({ signal, drainSeconds: config.drain }, 'draining')
  const outcome = await Promise.race([gateway.stop(), second])
  log.info({}, outcome === undefined ? 'stopped' : 'stopped at the second signal')
  return outcome === undefined ? 0 : 1
}

/**
 * The first and the second signal that ask to stop. The listeners stay: where there is none, be it for the moment between
 * the two, a signal ends the process on the spot.
 */
function signals(): { readonly first: Promise<string>; readonly second: Promise<string> } {
  const waiting: ((signal: string) => void)[] = []
  const next = () => new Promise<string>((resolve) => waiting.push(resolve))
  const heard = (signal: string) => waiting.shift()?.(signal)
  process.on('SIGTERM', heard).on('SIGINT', heard)
  return { first: next(), second: next() }
}

/** One line for what the user can mend; a stack only for a defect of ours. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(error.showHelp ? helpText() : `pipegate: ${error.message}\n`)
    return error.exitCode
  }
  process.stderr.write(`pipegate: ${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof ConfigError ? error.exitCode : 1
}

process.exitCode = await main().catch(explain)
process.exit()
