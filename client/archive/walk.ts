import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { basename, join, parse, resolve, sep } from 'node:path'
import { ArchiveError, asArchiveError, codeOf, quoted } from './archive-error.js'
import { type Entry, wholeMilliseconds } from './entry.js'
import { depthOf, linkProblem, pathOf } from './entry-name.js'

/** Something that goes into an archive, and where it lies. */
export interface Found {
  readonly entry: Entry
  /** For system calls. */
  readonly file: string
}

/** What makes a closer look at a name worth it: most have none of these. */
const SUSPICIOUS = /[\x00-\x1f\x7f-\x9f\\:\ufffd]/

/** The Finder's picture of a folder. Its name ends in a carriage return, and its content is where no archive looks. */
const FINDER_ICON = 'Icon\r'

/**
 * The name that a path has in an archive: its last part, as the file system says it, so that `.` and `..` have one too.
 * The root of a disk has none of its own; it is called `root`, or by the letter of its drive.
 */
export function nameOf(path: string): string {
  const absolute = resolve(path)
  return basename(absolute) || parse(absolute).root.replace(/[^a-z]/gi, '') || 'root'
}

/**
 * Everything below these paths, folders before what is in them, in the order of their names. Links are found as links; only a path that
 * was given is followed, since who names a link means what it points to.
 * @param warn is told what is left out, a sentence each
 * @throws ArchiveError
 */
export function* walk(paths: readonly string[], warn: (sentence: string) => void): Generator<Found, void, undefined> {
  refuseSameNames(paths)
  // With one folder, what is sent is that folder, and nothing lies beside it.
  const floor = paths.length === 1 ? 1 : 0
  const stack: Found[] = paths.map(start).reverse()
  for (let found = stack.pop(); found !== undefined; found = stack.pop()) {
    yield found
    if (found.entry.kind === 'folder') stack.push(...inside(found, floor, warn).reverse())
  }
}

function refuseSameNames(paths: readonly string[]): void {
  if (paths.length === 0) throw new ArchiveError('Nothing is named that could be sent.')
  const seen = new Map<string, string>()
  for (const path of paths) {
    const other = seen.get(nameOf(path))
    if (other !== undefined) {
      throw new ArchiveError(`would have the same name in the archive as ${quoted(other)}: send them one by one.`, path)
    }
    seen.set(nameOf(path), path)
  }
}

function start(path: string): Found {
  try {
    const file = resolve(path)
    const stats = statSync(file)
    if (!stats.isFile() && !stats.isDirectory())
      throw new ArchiveError(`is ${kindOf(stats)}, which cannot be sent.`, path)
    return { file, entry: entryOf(stats, nameOf(path), '') }
  } catch (error) {
    throw asArchiveError(error, 'cannot be sent', path)
  }
}

/** What a folder has in it. Something that vanishes in this moment is as if it had never been there. */
function inside({ file: folder, entry: { path } }: Found, floor: number, warn: (sentence: string) => void): Found[] {
  const found: Found[] = []
  for (const name of namesIn(folder)) {
    const file = join(folder, name)
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (SUSPICIOUS.test(name) && !isFit(name, file, stats))
      warn(`${quoted(file)} is left out: it is a picture of the Finder.`)
    else if (stats !== undefined) {
      const target = stats.isSymbolicLink() ? linkOf(file) : ''
      const entry = target === undefined ? undefined : entryOf(stats, `${path}/${name}`, target)
      const problem = entry === undefined ? undefined : reasonToLeaveOut(entry, stats, floor)
      if (problem !== undefined) warn(`${quoted(file)} is left out: it ${problem}`)
      else if (entry !== undefined) found.push({ file, entry })
    }
  }
  return found
}

function reasonToLeaveOut({ kind, path, target }: Entry, stats: Stats, floor: number): string | undefined {
  if (kind === 'link') return linkProblem(target, depthOf(path) - floor)
  return stats.isFile() || stats.isDirectory() ? undefined : `is ${kindOf(stats)}.`
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw asArchiveError(error, 'cannot be read', folder)
  }
}

/** False for what is left out. @throws ArchiveError for a name that the receiver would refuse */
function isFit(name: string, file: string, stats: Stats | undefined): boolean {
  if (name === FINDER_ICON) return false
  if (name.includes('\ufffd') && stats === undefined)
    throw new ArchiveError('has a name that is not UTF-8; rename it.', file)
  try {
    pathOf(name, false)
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    throw new ArchiveError(`${error.message.slice(quoted(name).length + 1)} Rename it.`, file)
  }
  return true
}

function linkOf(file: string): string | undefined {
  try {
    const target = readlinkSync(file)
    return sep === '/' ? target : target.replaceAll(sep, '/')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw asArchiveError(error, 'cannot be read', file)
  }
}

function entryOf(stats: Stats, path: string, target: string): Entry {
  const kind = stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'file'
  const size = kind === 'file' ? stats.size : 0
  return { kind, path, size, mode: stats.mode & 0o777, mtimeMs: wholeMilliseconds(stats.mtimeMs), target }
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a named pipe'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}
