/** What a stream is, in a few words. No DOM. */
import { formatBytes } from '../../transfer-status/format.js'
import type { Snapshot } from '../../transfer-status/snapshot.js'

type Contents = Pick<Snapshot, 'fileName' | 'mediaType' | 'totalBytes'>

/** `report.pdf · 2.1 MB · application/pdf`; empty when nothing is known. */
export function contentsText({ fileName, mediaType, totalBytes }: Contents): string {
  const size = totalBytes === null ? null : formatBytes(totalBytes)
  return [fileName, size, mediaType].filter((each) => each !== null).join(' · ')
}
