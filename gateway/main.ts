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
  const url = `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}${config.prefix}/`
  log.info({ url, version: packageVersion(), node: process.version }, 'listening')
  const signal = await firstSignal()
  log.info({ signal, drainSeconds: config.drain }, 'draining')
  const impatient = firstSignal().then(() => 'impatient')
  const outcome = await Promise.race([gateway.stop(), impatient])
  log.info({}, outcome === 'impatient' ? 'stopped at the second signal' : 'stopped')
  return outcome === 'impatient' ? 1 : 0
}

function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    const heard = (signal: string) => {
      process.off('SIGTERM', heard).off('SIGINT', heard)
      resolve(signal)
    }
    process.on('SIGTERM', heard).on('SIGINT', heard)
  })
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
