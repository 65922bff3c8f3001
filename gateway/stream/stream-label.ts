import type { StreamHead } from '../../core/index.js'
import { parseDisposition } from './disposition.js'
import { safeFileName } from './file-name.js'
import { safeMediaType } from './media-type.js'
import { fieldOf } from './stream-head.js'

/** What a stream is, for somebody who has not received it. */
export interface StreamLabel {
  /** As its sender names it, made safe to save under. */
  readonly fileName: string | undefined
  /** `type/subtype`, as a receiver is told. */
  readonly mediaType: string | undefined
}

/** Reads it off the head. */
export function streamLabel(head: StreamHead): StreamLabel {
  const disposition = fieldOf(head, 'Content-Disposition')
  const fileName = disposition === undefined ? undefined : parseDisposition(disposition).filename
  return {
    fileName: fileName === undefined ? undefined : safeFileName(fileName),
    mediaType: safeMediaType(fieldOf(head, 'Content-Type'))?.replace(/[ \t]*;.*$/s, ''),
  }
}
