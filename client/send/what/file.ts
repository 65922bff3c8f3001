import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { CHUNK_BYTES, KEPT_CHUNKS, type Outgoing } from './outgoing.js'

/** One file, with its permissions and its time. */
export function fileOf(path: string, { size, mode, mtimeMs }: Stats): Outgoing {
  const name = basename(path)
  return {
    description: { kind: 'file', name, mode: mode & 0o777, mtime: Math.floor(mtimeMs), files: 1, bytes: size },
    type: 'application/octet-stream',
    fileName: name,
    length: size,
    about: size,
    label: name,
    isLasting: true,
    open: () => fileBytes(path, size),
  }
}

/**
 * As many bytes as the file had when it was looked at: one that grows meanwhile is sent as it was, and one that shrinks is an error.
 */
async function* fileBytes(path: string, length: number): AsyncGenerator<Uint8Array> {
  const file = await open(path)
  try {
    const size = Math.min(CHUNK_BYTES, Math.max(1, length))
    const ring = Array.from({ length: KEPT_CHUNKS + 1 }, () => Buffer.allocUnsafeSlow(size))
    for (let at = 0, i = 0; at < length; i = (i + 1) % ring.length) {
      const { bytesRead } = await file.read(ring[i]!, 0, Math.min(size, length - at), at)
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read: ${at} of ${length} bytes.`)
      at += bytesRead
      yield ring[i]!.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
