import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { nativeHelper } from './helper.js'
import { forOlderGlibc, needsNewerGlibc } from './older-glibc.js'

/** uWebSockets.js, as this process has loaded it. */
export interface Engine {
  readonly exports: unknown
  /** What the dynamic linker calls the loaded object. */
  readonly object: string
}

let engine: Engine | undefined

/** Loads the engine's binary for this Node and this platform. @throws Error with one line that says what was found, and what works */
export function loadEngine(): Engine {
  engine ??= load()
  return engine
}

const WORKS = 'Node 20, 22 or 24 on Linux (x64, arm64; glibc 2.36 or later) or macOS'

function load(): Engine {
  const { platform, arch, version, versions } = process
  const name = `uws_${platform}_${arch}_${versions.modules}.node`
  const here = () => `Node ${version} on ${platform} ${arch}${isMusl() ? ' with musl' : ''}`
  const folder = engineFolder()
  if (folder === undefined) {
    throw new Error(
      `uWebSockets.js is not installed, without which nothing can be served: found ${here()}, expected ${WORKS}. ` +
        'There, run npm install --include=optional; the commands that ask a gateway work without it.',
    )
  }
  const file = join(folder, name)
  if (!existsSync(file)) {
    throw new Error(
      `uWebSockets.js has no binary ${name}: found ${here()}, expected ${WORKS}. ` +
        'Where node_modules came from another machine, run npm ci.',
    )
  }
  try {
    return open(file)
  } catch (error) {
    if (needsNewerGlibc(String(error))) return openForOlderGlibc(file)
    throw new Error(`uWebSockets.js does not load: found ${here()}, expected ${WORKS}: ${firstLine(error)}`)
  }
}

/** Undefined where it was left out as an optional dependency, which it is for who needs no server. */
function engineFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('uWebSockets.js'))
  } catch {
    return undefined
  }
}

function open(object: string): Engine {
  const module: { exports: unknown } = { exports: {} }
  process.dlopen(module, object)
  return { exports: module.exports, object }
}

/** The copy is in memory only, one for all threads: nothing is written, and nobody else can put something in its place. */
function openForOlderGlibc(file: string): Engine {
  try {
    const helper = nativeHelper() as { memoryFile(name: string, bytes: Uint8Array): number }
    return open(`/proc/self/fd/${helper.memoryFile('uWebSockets.js', forOlderGlibc(readFileSync(file)))}`)
  } catch (error) {
    throw new Error(`uWebSockets.js does not load with this glibc, expected ${WORKS}: ${firstLine(error)}`)
  }
}

/** Only asked when things go wrong: the report takes its time. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false
  const { header } = process.report.getReport() as unknown as { readonly header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
}
