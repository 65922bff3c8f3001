import { createWriteStream } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { safeFileName } from '../../gateway/stream/file-name.js'
import { unpack } from '../archive/unpack.js'
import type { DecryptWith } from '../encryption/decrypting.js'
import { FileDestination } from './destination/file.js'
import { type Output, writeTo } from './destination/output.js'
import type { Incoming } from './incoming.js'
import { unsealedBytes } from './unseal.js'

export interface TakeOptions {
  /** What `--output` says: `-` is standard output. */
  readonly output: string | undefined
  readonly overwrite: boolean
  readonly resume: boolean
  /** Asks a person; undefined where nobody can be asked. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
  readonly stdout: NodeJS.WriteStream
  /** Somebody has interrupted it: no output is waited for any more. */
  readonly signal: AbortSignal
  /** What opens it when it is encrypted. */
  readonly secret: DecryptWith | undefined
  readonly onBytes: (bytes: number) => void
  readonly warn: (sentence: string) => void
}

/** What is here now. */
export interface Taken {
  /** For people: `photos/`, `photo (1).jpg`; undefined for standard output. */
  readonly where: string | undefined
  readonly files: number
  /** Of the stream, when the server has the same. */
  readonly sha256: string | undefined
}

/** What a file is called that has no name. */
const UNNAMED = 'received'
/** What file systems allow, in bytes, less than `.part` and a number need. */
const NAME_BYTES = 240

/**
 * Takes what comes to where it belongs, and puts it into its place when it is whole and right.
 * @throws Incomplete, ArchiveError, Error in words for people; what is half there is called `.part` then
 */
export async function take(incoming: Incoming, options: TakeOptions): Promise<Taken> {
  const { kind, encrypted } = incoming.description
  const { output, secret } = options
  if (encrypted && secret === undefined) {
    throw new Error('It is encrypted: say the words behind the name too, or --passphrase-file, or --identity.')
  }
  if (!encrypted && secret !== undefined) {
    throw new Error('It is not encrypted, though it should be: somebody else may have sent it. Nothing was taken.')
  }
  if (output === '-' || (output === undefined && (kind === 'text' || kind === 'stream')))
    return toOutput(incoming, options, options.stdout)
  if (output !== undefined && (await isNoFile(output))) return toDevice(incoming, options, output)
  if (kind === 'tar') return toFolder(incoming, options)
  return toFile(incoming, options)
}

/** What was sent, decrypted if it has to be. The memory of a piece is used again once the second one after it is asked for. */
function bytesOf(incoming: Incoming, { onBytes, secret }: TakeOptions): AsyncIterable<Buffer> {
  const bytes = incoming.body(onBytes)
  return secret === undefined ? bytes : unsealedBytes(bytes, secret)
}

async function toOutput(incoming: Incoming, options: TakeOptions, out: Output): Promise<Taken> {
  let last = 0
  for await (const chunk of bytesOf(incoming, options)) {
    await writeTo(out, chunk, options.signal)
    last = chunk.at(-1) ?? last
  }
  const sha256 = await incoming.verify()
  // A prompt behind a text would look like a part of it.
  if (out.isTTY && incoming.bytes > 0 && last !== 0x0a) out.write('\n')
  return { where: undefined, files: 0, sha256 }
}

/** A device or a pipe, `/dev/null` or what a shell makes of `>(gzip)`, takes the bytes. A file must never take its place. */
async function toDevice(incoming: Incoming, options: TakeOptions, path: string): Promise<Taken> {
  const out = createWriteStream(path, { flags: 'w' })
  const stop = new AbortController()
  const ended = finished(out).catch((error: Error) => {
    throw new Error(`${path} takes no more: ${error.message.replace(/^E[A-Z]+: /, '')}.`)
  })
  ended.catch((error) => stop.abort(error))
  const signal = AbortSignal.any([options.signal, stop.signal])
  try {
    const taken = await toOutput(incoming, { ...options, signal }, out)
    out.end()
    await ended
    return { ...taken, where: path }
  } catch (error) {
    out.destroy()
    throw error
  }
}

async function isNoFile(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined)
  return there !== undefined && !there.isFile() && !there.isDirectory()
}

async function toFile(incoming: Incoming, options: TakeOptions): Promise<Taken> {
  const path = await pathFor(incoming.description.name, options.output)
  const mayOverwrite = await decide(path, options)
  const destination = await FileDestination.open(path, incoming.from, options.resume || options.overwrite)
  try {
    for await (const chunk of destination.before()) incoming.before(chunk)
    for await (const chunk of bytesOf(incoming, options)) await destination.write(chunk)
    const sha256 = await incoming.verify()
    const where = await destination.commit(incoming.description, mayOverwrite)
    return { where, files: 1, sha256 }
  } catch (error) {
    await destination.leave()
    throw error
  }
}

/** Where a file goes: into the folder that was named, or to the name that was. */
export async function pathFor(name: string | undefined, output: string | undefined): Promise<string> {
  const own = shortened(safeFileName(name ?? UNNAMED))
  if (output === undefined) return own
  const there = await lstat(output).catch(() => undefined)
  return there?.isDirectory() || /[/\\]$/.test(output) ? join(output, own) : output
}

/** To what a file system takes, at the end of the stem. */
function shortened(name: string): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= NAME_BYTES) return name
  const extension = /\.[A-Za-z0-9.]{1,16}$/.exec(name)?.[0] ?? ''
  return (
    bytes
      .subarray(0, NAME_BYTES - extension.length)
      .toString('utf8')
      .replace(/\ufffd+$/, '') + extension
  )
}

/** Whether what is there of that name may go. */
async function decide(path: string, { overwrite, ask }: TakeOptions): Promise<boolean> {
  if (overwrite || ask === undefined) return overwrite
  if ((await lstat(path).catch(() => undefined)) === undefined) return false
  return ask(`${path} is there already. Replace it?`)
}

async function toFolder(incoming: Incoming, options: TakeOptions): Promise<Taken> {
  const { output, overwrite, resume, ask, warn } = options
  const root = incoming.description.name
  const target = resolve(output ?? (root === undefined ? '.' : safeFileName(root)))
  let files = 0
  const unpacking = unpack(bytesOf(incoming, options), target, {
    ...(root === undefined ? {} : { root }),
    overwrite: overwrite || (ask === undefined ? false : (path) => ask(`${path} is there already. Replace it?`)),
    resume,
    warn,
    progress: (progress) => {
      files = progress.files
    },
  })
  try {
    await unpacking.done
    const sha256 = await incoming.verify()
    await unpacking.commit()
    return { where: `${output ?? (root === undefined ? '.' : basename(target))}/`.replace(/\/\/$/, '/'), files, sha256 }
  } catch (error) {
    await unpacking.abort()
    throw error
  }
}
