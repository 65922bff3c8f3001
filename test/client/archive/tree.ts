/** Folders of tests, and what is in them. */

import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Readable, Readable as Stream } from 'node:stream'

/**
 * A folder, a line for each thing in it: kind, mode, time in whole milliseconds, size and digest or target. Two trees are the
 * same when these are.
 */
export function tree(root: string, path = ''): Record<string, string> {
  const lines: Record<string, string> = {}
  for (const name of readdirSync(join(root, path)).sort()) {
    const here = path === '' ? name : `${path}/${name}`
    const file = join(root, here)
    const stats = lstatSync(file)
    const mode = (stats.mode & 0o7777).toString(8)
    const time = Math.floor(stats.mtimeMs)
    if (stats.isDirectory()) Object.assign(lines, { [here]: `folder ${mode} ${time}` }, tree(root, here))
    else if (stats.isSymbolicLink()) lines[here] = `link ${readlinkSync(file)}`
    else lines[here] = `file ${mode} ${time} ${stats.size} ${digest(readFileSync(file))}`
  }
  return lines
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

/** A moment with milliseconds, so that a time which was rounded to seconds shows. */
export const WHEN = new Date('2021-03-04T05:06:07.891Z')

export interface Planted {
  /** Content of a file, or null for a folder, or a link as `-> target`. */
  readonly [path: string]: string | Buffer | null
}

/** Makes files, folders and links, folders first; then all get the same time. */
export function plant(root: string, content: Planted): string {
  mkdirSync(root, { recursive: true })
  const entries = Object.entries(content)
  for (const [path, what] of entries) {
    const file = join(root, path)
    mkdirSync(join(file, '..'), { recursive: true })
    if (what === null) mkdirSync(file, { recursive: true })
    else if (typeof what === 'string' && what.startsWith('-> ')) symlinkSync(what.slice(3), file)
    else writeFileSync(file, what)
  }
  setTimes(root)
  return root
}

export function setTimes(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = join(folder, entry.name)
    if (entry.isDirectory()) setTimes(file)
    else if (entry.isFile()) utimesSync(file, WHEN, WHEN)
  }
  utimesSync(folder, WHEN, WHEN)
}

export async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** The bytes as a stream, in pieces of this size. */
export function streamOf(bytes: Buffer, size = 1 << 16): Readable {
  return Stream.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
    { objectMode: false },
  )
}
