import type { Entry } from './entry.js'
import type { PackOptions } from './options.js'

/** Whether the receiver has this file. */
export function isSkipped({ kind, path, size, mtimeMs, mode }: Entry, skip: PackOptions['skip']): boolean {
  return kind === 'file' && skip !== undefined && skip({ path, size, mtimeMs, mode })
}
