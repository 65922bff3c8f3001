import { isUtf8 } from 'node:buffer'
import { ArchiveError } from './archive-error.js'

/** What is used of an extended header. */
export interface PaxRecords {
  path?: string
  linkpath?: string
  size?: number
  mtimeMs?: number
}

/** Keys that say that the content is not the file's: a sparse file, as a map and the pieces that are not empty. */
const SPARSE = /^(GNU\.sparse\.|SCHILY\.realsize$|SUN\.holesdata$)/

/** The last millisecond of the year 9999, which every system can tell. */
export const LATEST_MS = 253_402_300_799_999

/**
 * The records of an extended header (POSIX.1-2017, pax, "pax Extended Header"): `<length> <key>=<value>\n`, the length in bytes
 * and of all of the record. Strict: a record that is not understood could be the name of the next file.
 * @throws ArchiveError
 */
export function readPax(body: Buffer): PaxRecords {
  const records: PaxRecords = {}
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at)
    const digits = space === -1 ? '' : body.toString('latin1', at, Math.min(space, at + 9))
    const end = /^[1-9]\d{0,7}$/.test(digits) ? at + Number(digits) : 0
    const equals = body.indexOf(0x3d, space)
    if (end > body.length || end <= equals || equals <= space + 1 || body[end - 1] !== 0x0a) throw broken()
    apply(records, body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}

function apply(records: PaxRecords, key: string, bytes: Buffer): void {
  if (SPARSE.test(key)) throw new ArchiveError('This archive has a sparse file in it. Make it without --sparse.')
  if (key === 'path' || key === 'linkpath') {
    if (!isUtf8(bytes)) throw new ArchiveError('has a name that is not UTF-8.', bytes.toString('latin1'))
    records[key] = bytes.toString()
    return
  }
  if (key !== 'size' && key !== 'mtime') return
  const value = bytes.toString('latin1')
  if (key === 'size') {
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) throw broken()
    records.size = Number(value)
  } else {
    if (!/^-?\d+(\.\d*)?$/.test(value)) throw broken()
    records.mtimeMs = millisecondsOf(value)
  }
}

/** Seconds with a fraction, rounded down to milliseconds without the errors of a multiplication. */
function millisecondsOf(seconds: string): number {
  const [whole = '0', fraction = ''] = seconds.replace('-', '').split('.')
  const ms = Number(whole) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
  if (ms > LATEST_MS) throw new ArchiveError('The archive has a time in it that lies beyond the year 9999.')
  if (!seconds.startsWith('-')) return ms
  return /[1-9]/.test(fraction.slice(3)) ? -ms - 1 : -ms
}

function broken(): ArchiveError {
  return new ArchiveError('The archive is damaged: an extended header cannot be read.')
}
