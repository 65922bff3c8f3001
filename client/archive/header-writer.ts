import { Header, type HeaderData } from 'tar/header'
import { Pax } from 'tar/pax'
import type { Entry, EntryKind } from './entry.js'

export const BLOCK = 512
/** The end of an archive: two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK)

const TYPES = {
  file: 'File',
  folder: 'Directory',
  link: 'SymbolicLink',
  'hard link': 'Link',
} as const satisfies Record<EntryKind, string>

/** Zeros behind a content of this size, up to the next block. */
export function padding(size: number): number {
  return -size & (BLOCK - 1)
}

/**
 * The header of an entry: one block in the ustar format, which every tar reads. What does not fit there (a long or non-ASCII
 * name, more than 8 GiB, a fraction of a second, a year before 1970) stands in a PAX header before it.
 */
export function headerOf(entry: Entry): Buffer {
  const block = Buffer.alloc(BLOCK)
  // A folder ends in a slash, for readers that know no other sign of it.
  const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path
  const linkpath = entry.kind === 'link' || entry.kind === 'hard link' ? entry.target : undefined
  const data: HeaderData = { path, mode: entry.mode, uid: 0, gid: 0, size: entry.size, type: TYPES[entry.kind] }
  if (linkpath !== undefined) data.linkpath = linkpath
  const seconds = Math.floor(entry.mtimeMs / 1000)
  // The field of the block has neither fractions nor, for all readers, signs.
  data.mtime = new Date(Math.max(0, seconds) * 1000)
  const needsPax = new Header(data).encode(block)
  const exactTime = seconds >= 0 && entry.mtimeMs % 1000 === 0
  if (!needsPax && exactTime) return block
  const more: HeaderData = {}
  if (needsPax) {
    more.path = path
    more.size = entry.size
    if (linkpath !== undefined) more.linkpath = linkpath
  }
  if (!exactTime) more.mtime = new Date(entry.mtimeMs)
  return Buffer.concat([paxOf(more), block])
}

/** The records as an entry of their own, which tells about the next one. */
function paxOf(records: HeaderData): Buffer {
  const body = Buffer.from(new Pax(records).encodeBody())
  const blocks = Buffer.alloc(BLOCK + body.length + padding(body.length))
  const head = { path: 'PaxHeader', mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: new Date(0) }
  new Header({ ...head, type: 'ExtendedHeader' }).encode(blocks)
  body.copy(blocks, BLOCK)
  return blocks
}
