/** The reader of gateway/native, as a program of its own that tests ask what bytes are. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const NATIVE = join(ROOT, 'gateway/native/http')
export const DRIVERS = join(ROOT, 'test/reader')
export const SOURCES: readonly string[] = [
  'octets.c',
  'words.c',
  'host.c',
  'chunks.c',
  'scatter.c',
  'request-line.c',
  'fields.c',
  'head.c',
  'half-heads.c',
  'engine-head.c',
  'reader.c',
]

/** Chunks of one size are expected as soon as two have come, however small. */
export const EAGER: readonly string[] = ['-DSCATTER_LEAST=1', '-DSCATTER_AFTER=1']
export const STRICT: readonly string[] = ['-std=c11', '-Wall', '-Wextra', '-Werror', ...EAGER]
export const SANITIZED: readonly string[] = [
  ...STRICT,
  '-g',
  '-O1',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
]

/**
 * "every": cut at every byte, and in all ways of answering; "some": a few cuts, by the seed; "poor": byte by byte, while half
 * heads have so many bytes of memory as the seed says.
 */
export type Ways = 'every' | 'some' | 'poor'

/** What came out, in the lines of driver.c. */
export type Lines = readonly string[]

const INCLUDE = ['-iquote', NATIVE, '-iquote', DRIVERS]

function run(compiler: string, flags: readonly string[]): void {
  execFileSync(compiler, flags, { stdio: ['ignore', 'ignore', 'inherit'] })
}

const freshFile = (name: string) => join(mkdtempSync(join(tmpdir(), 'pipegate-reader-')), name)

/** Headers are looked for where the source is, and in the folders of these flags, before those of the reader. */
export function compile(source: string, flags: readonly string[] = SANITIZED): string {
  const object = freshFile('object.o')
  run('gcc', [...flags, ...INCLUDE, '-c', source, '-o', object])
  return object
}

export function compileDriver(flags: readonly string[] = SANITIZED): string[] {
  return ['driver.c', 'drive.c'].map((file) => compile(join(DRIVERS, file), flags))
}

/** Returns the path of the program. */
export function link(objects: readonly string[], flags: readonly string[] = SANITIZED): string {
  const program = freshFile('driver')
  run('gcc', [...flags, ...objects, '-o', program])
  return program
}

export function buildDriver(): string {
  return link([...compileDriver(), ...SOURCES.map((file) => compile(join(NATIVE, file)))])
}

/** The reader under libFuzzer. Returns the path of the program. */
export function buildFuzzer(): string {
  const program = freshFile('fuzz')
  const sources = [
    ...['fuzz.c', 'drive.c'].map((file) => join(DRIVERS, file)),
    ...SOURCES.map((file) => join(NATIVE, file)),
  ]
  run('clang', [...SANITIZED, '-fsanitize=fuzzer', ...INCLUDE, ...sources, '-o', program])
  return program
}

/** Asks it about all of these at once. Throws when it breaks a promise that is the same for all bytes. */
export function drive(program: string, cases: readonly string[], ways: Ways, seed = 0): Lines[] {
  const input = cases.flatMap((bytes, i) => [
    Buffer.from(`${ways} ${seed + i} ${bytes.length}\n`),
    Buffer.from(bytes, 'latin1'),
  ])
  const output = execFileSync(program, {
    input: Buffer.concat(input),
    encoding: 'latin1',
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 110_000,
  })
  const answers = output.split('\n.\n').map((each) => each.split('\n'))
  return answers.slice(0, -1)
}
