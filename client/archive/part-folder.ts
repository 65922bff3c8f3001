import { lstatSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ArchiveError, asArchiveError, codeOf } from './archive-error.js'

/** Names of files that are being written. They lie in the part folder itself, so that what is left of them is easy to find. */
const INCOMING = /^\.pipegate-incoming-\d+$/

/** The part folder inside of a target that exists. */
const INSIDE = '.pipegate.part'

/** Names directly in the part folder or the target that no entry may have. */
export function isReserved(path: string): boolean {
  return path === INSIDE || path.startsWith(`${INSIDE}/`) || INCOMING.test(path)
}

/** Where the `number`th file is written until it is whole. */
export function incomingName(number: number): string {
  return `.pipegate-incoming-${number}`
}

export function isIncoming(name: string): boolean {
  return INCOMING.test(name)
}

export interface Places {
  /** Where all goes in the end; a link to a folder has been followed. */
  readonly target: string
  /** Whether it is there already, as a folder. */
  readonly exists: boolean
  /** Where all goes first. On the same disk, so that it can be moved at once. */
  readonly part: string
}

/**
 * Where an archive for this target is unpacked. `TARGET.part`; inside of a target that exists, since the folder around it
 * may be somebody else's or on another disk, unless `TARGET.part` is there from the last time.
 * @throws ArchiveError when the target is something else than a folder
 */
export function placesOf(target: string): Places {
  const path = resolve(target)
  const exists = isFolder(path)
  const real = exists ? realpathSync(path) : path
  const beside = join(dirname(path), `${basename(path)}.part`)
  if (!exists || (basename(path) !== '' && isThere(beside))) return { target: real, exists, part: beside }
  return { target: real, exists, part: join(real, INSIDE) }
}

/**
 * Makes the part folder, or takes the one that is there.
 * @throws ArchiveError when one is there and was not to be resumed
 */
export function openPart(part: string, resume: boolean): void {
  try {
    mkdirSync(part, { mode: 0o700 })
    return
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw asArchiveError(error, 'cannot be made', part)
  }
  if (!resume) {
    throw new ArchiveError(
      'is there: what came of a transfer that was cut off. Go on with --resume, or remove it.',
      part,
    )
  }
  const found = lstatSync(part)
  if (!found.isDirectory()) throw new ArchiveError('is no folder.', part)
  // In a folder that all may write to, somebody could have put one there, to look into what comes or to change it.
  if (process.geteuid !== undefined && found.uid !== process.geteuid()) {
    throw new ArchiveError('belongs to another user.', part)
  }
  for (const name of readdirSync(part)) if (isIncoming(name)) rmSync(join(part, name), { force: true })
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined && isThere(path)) throw new ArchiveError('is a link that leads nowhere.', path)
  if (found !== undefined && !found.isDirectory()) throw new ArchiveError('is there already, and is no folder.', path)
  return found !== undefined
}
