/**
 * With `PIPEGATE_TEST_THREADS=2`, what `startGateway` starts is the program with so many threads instead of a gateway in the test's
 * process: `npm run test:threads`. What a test looks up in its gateway is asked of the threads.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FlagValues, loadConfig } from '../../../gateway/config/config.js'
import { flagOf } from '../../../gateway/config/setting-names.js'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Gateway } from '../../../gateway/serve/gateway.js'
import { BUNDLED, DEFAULTS } from '../../../plugins/bundled.js'
import type { LogLine } from '../gateway.js'
import { Program } from '../program.js'
import type { Teardown } from '../teardown.js'
import { type Look, lookInto, lookPath } from './looking-in.js'
import { TEST_THREADS } from './wanted.js'

const START_MS = 60_000
const STOP_MS = 30_000
const LOOKS = fileURLToPath(new URL('looks.js', import.meta.url))

interface Entry {
  readonly plugin: string
  readonly config?: unknown
}

/** Plugins of tests that stand in a file of their own, and so can be loaded by another process. */
const files = new WeakMap<object, string>()

/** The plugin that a file of a test exports. */
export async function pluginOfFile(url: URL): Promise<LoadedPlugin> {
  const { default: plugin } = (await import(url.href)) as { default: LoadedPlugin['plugin'] }
  files.set(plugin, fileURLToPath(url))
  return { plugin }
}

async function entryOf({ plugin, config }: LoadedPlugin): Promise<Entry | undefined> {
  const file = files.get(plugin)
  if (file !== undefined) return { plugin: file, config }
  const load = Object.hasOwn(BUNDLED, plugin.name) ? BUNDLED[plugin.name] : undefined
  return (await load?.())?.default === plugin ? { plugin: plugin.name, config } : undefined
}

export interface Served {
  readonly gateway: Gateway
  readonly port: number
  readonly lines: readonly LogLine[]
}

let count = 0

/** Undefined where this gateway cannot be another process; why not is said on standard error. */
export async function serveInThreads(
  t: Teardown,
  flags: FlagValues,
  plugins: readonly LoadedPlugin[],
): Promise<Served | undefined> {
  const entries: Entry[] = []
  for (const each of plugins) {
    const entry = await entryOf(each)
    if (entry === undefined) return oneThread(`the plugin ${each.plugin.name} is the test's own`)
    entries.push(entry)
  }
  if (flags.threads !== undefined || flags.socketHelper !== undefined) return oneThread('the settings are about it')
  return serve(t, flags, entries)
}

function oneThread(why: string): undefined {
  process.stderr.write(`# a gateway of one thread: ${why}\n`)
  return undefined
}

async function serve(t: Teardown, flags: FlagValues, entries: readonly Entry[]): Promise<Served> {
  const name = `${process.pid}-${++count}`
  const left = DEFAULTS.filter((each) => entries.every(({ plugin }) => plugin !== each))
  const all = [
    ...entries,
    ...left.map((plugin) => ({ plugin, enabled: false })),
    { plugin: LOOKS, config: { path: lookPath(), gateway: name } },
  ]
  const folder = mkdtempSync(join(tmpdir(), 'pipegate-threads-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'pipegate.yaml')
  writeFileSync(config, JSON.stringify({ plugins: all }))
  const given = { drain: '0', ...flags, config, threads: `${TEST_THREADS}`, logLevel: 'trace', logFormat: 'json' }
  const args = Object.entries(given).map(([key, value]) => `${flagOf(key)}=${value}`)
  const program = new Program(t, ['serve', ...args], {})
  const lines: LogLine[] = []
  await follow(program, lines)
  t.teardown(async () => {
    const { code, stderr } = await program.endsAfter('SIGTERM', STOP_MS)
    if (code !== 0) throw new Error(`it ended with ${code}: ${stderr}`)
    const ends = lookInto(name, true)
    const { waiting, streaming, heldBytes } = sum(ends)
    if (ends.length !== TEST_THREADS || heldBytes + waiting + streaming > 0)
      throw new Error(`leaked by ${ends.length} threads: ${heldBytes} bytes, ${waiting + streaming} pipes`)
  })
  return { gateway: outside(program, flags, name), port: program.port, lines }
}

/** @throws Error with what it says when it does not start */
function follow(program: Program, lines: LogLine[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new Error('it was not ready in time')), START_MS)
    program.onLine((line) => {
      lines.push(line)
      if (line.msg === 'listening') resolve()
    })
    void program.ended.then(({ stderr }) => reject(new Error(stderr.trimEnd())), reject)
    void program.ended.finally(() => clearTimeout(tooLate))
  })
}

function sum(looks: readonly Look[]) {
  const of = (field: 'waiting' | 'streaming' | 'viewers' | 'heldBytes') =>
    looks.reduce((all, each) => all + each[field], 0)
  return { waiting: of('waiting'), streaming: of('streaming'), viewers: of('viewers'), heldBytes: of('heldBytes') }
}

/** What can be seen of it from another process. */
function outside(program: Program, flags: FlagValues, name: string): Gateway {
  const { config: _, ...settings } = { port: '0', ...flags } as FlagValues
  const now = () => sum(lookInto(name))
  const table = {
    get waiting() {
      return now().waiting
    },
    get streaming() {
      return now().streaming
    },
    get viewers() {
      return now().viewers
    },
    get: (key: string) =>
      lookInto(name)
        .flatMap(({ names }) => names)
        .find((each) => each.key === key),
    all: () => lookInto(name).flatMap(({ transfers }) => transfers),
  }
  const slabs = {
    get heldBytes() {
      return now().heldBytes
    },
  }
  const seen = {
    config: loadConfig({ flags: settings, env: {} }),
    stop: async () => void (await program.endsAfter('SIGTERM', STOP_MS)),
  }
  return strict({ ...seen, table: strict(table), slabs: strict(slabs) }) as unknown as Gateway
}

/** What is not there is an error, and not undefined. */
function strict<O extends object>(seen: O): O {
  return new Proxy(seen, {
    get(of, field, receiver) {
      if (typeof field === 'symbol' || field === 'then' || field in of)
        return Reflect.get(of, field, receiver) as unknown
      throw new Error(`${field} of a gateway cannot be seen from another process`)
    },
  })
}
