#!/usr/bin/env node
import './serve/v8-flags.js'
import { readFileSync } from 'node:fs'
import { COMMANDS } from '../client/commands.js'
import { BUNDLED, DEFAULTS } from '../plugins/bundled.js'
import {
  type Command,
  ConfigError,
  helpText,
  type Loaded,
  loadConfigWithOrigins,
  parseCommandLine,
  renderConfig,
  UsageError,
} from './config/config.js'
import { toLoad } from './config/plugins.js'
import { loadPlugins, type PluginEntry } from './host/loader.js'
import { askHealth } from './serve/health.js'
import { createLog } from './serve/log.js'

/** The command line: prints what was asked for, or serves until a signal. Returns the exit code. */
async function main(): Promise<number> {
  const [first = '', ...rest] = process.argv.slice(2)
  if (Object.hasOwn(COMMANDS, first)) return runCommand(await (await COMMANDS[first]!())(rest))
  const line = parseCommandLine(process.argv.slice(2))
  const { help, version, printConfig } = line.switches
  if (help) return print(helpText())
  if (version) return print(`${packageVersion()}\n`)
  const loaded = loadConfigWithOrigins({ flags: line.values, env: process.env })
  if (printConfig) return print(renderConfig(loaded.config, loaded.origins) + pluginComment(loaded.plugins))
  return RUN[line.command](loaded)
}

const RUN: Readonly<Record<Command, (loaded: Loaded) => Promise<number>>> = { serve, check, health }

function runCommand({ text, exitCode }: { readonly text: string; readonly exitCode: number }): number {
  const out = exitCode === 0 ? process.stdout : process.stderr
  out.write(text)
  return exitCode
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

/** Plugins are named only: their configuration may hold secrets. */
function pluginComment(plugins: Loaded['plugins']): string {
  return plugins.map(({ where }) => `# ${where}, not shown\n`).join('')
}

/** Everything that `serve` does before it starts anything. */
async function check({ config, plugins }: Loaded): Promise<number> {
  const { Gateway } = await gatewayModule()
  const gateway = new Gateway(config, createLog({ ...config, logLevel: 'silent' }), await load(plugins))
  const lines = gateway.plugins.map((line, i) => `${i + 1}. ${line}\n`)
  await gateway.stop(0)
  return print(
    `The configuration is good.\n${lines.length === 0 ? 'No plugins.\n' : `Plugins, in their order:\n${lines.join('')}`}`,
  )
}

async function health({ config }: Loaded): Promise<number> {
  const { ok, text } = await askHealth(config)
  return runCommand({ text: `${text}\n`, exitCode: ok ? 0 : 1 })
}

/** Only for what serves: the engine is loaded with it, and the other commands work where it does not. */
function gatewayModule() {
  return import('./serve/gateway.js')
}

function load(entries: readonly PluginEntry[]) {
  return loadPlugins(toLoad(entries, DEFAULTS), BUNDLED)
}

async function serve({ config, plugins }: Loaded): Promise<number> {
  const log = createLog(config)
  const { Gateway } = await gatewayModule()
  const gateway = new Gateway(config, log, await load(plugins))
  log.info({ plugins: gateway.plugins }, 'plugins, in the order in which they are asked')
  const port = await gateway.start()
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  // Before the line that tells a supervisor that it may begin to send them.
  const { first, second } = signals()
  // Without certificates there is nothing to reload, and who closes a terminal wants it to end.
  if (config.tlsCert !== undefined) process.on('SIGHUP', () => gateway.reload())
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
