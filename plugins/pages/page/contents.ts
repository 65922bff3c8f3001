/** What a stream is, in a few words. No DOM. */
import { formatBytes } from '../../transfer-status/format.js'
import type { Snapshot } from '../../transfer-status/snapshot.js'

type Contents = Pick<Snapshot, 'mediaType' | 'totalBytes'>

/** As people call them; what is not here is called by its type. */
const TYPES: Readonly<Record<string, string>> = {
  'application/pdf': 'PDF document',
  'application/zip': 'Zip archive',
  'application/x-tar': 'Tar archive',
  'application/gzip': 'Gzip archive',
  'application/json': 'JSON',
  'text/plain': 'Text',
  'text/csv': 'Table (CSV)',
}
const KINDS: Readonly<Record<string, string>> = { image: 'Picture', video: 'Video', audio: 'Sound', font: 'Font' }

/** `2.1 MB · PDF document`; empty when nothing is known. */
export function contentsText({ mediaType, totalBytes }: Contents): string {
  const size = totalBytes === null ? null : formatBytes(totalBytes)
  return [size, typeText(mediaType)].filter((each) => each !== null).join(' · ')
}

/** Null for what says nothing of itself: a form of curl is no form, and octets are anything. */
function typeText(mediaType: string | null): string | null {
  if (mediaType === null || /^application\/(octet-stream|x-www-form-urlencoded)$/i.test(mediaType)) return null
  const type = mediaType.toLowerCase()
  const [kind = '', subtype = ''] = type.split('/')
  if (TYPES[type] !== undefined) return TYPES[type]
  const word = KINDS[kind]
  return word === undefined ? type : `${word} (${subtype.replace(/^x-|\+.*$/g, '').toUpperCase()})`
}
