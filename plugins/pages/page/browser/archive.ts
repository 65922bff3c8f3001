/** Several files as one: a zip that is never in memory. */
import { zipName } from '../bundle-of-files.js'
import type { Item } from './items.js'

/** Its own script defines it. */
declare const zip: Pick<typeof import('client-zip'), 'makeZip'>

/**
 * A zip without compression, as a file that consists of the files themselves, which the browser reads while it sends them, and of what
 * stands between them. That has checksums in it, so each file is read once beforehand, and nothing of it is kept. Over HTTP/1.1 there is
 * no other way: a browser sends no body whose end it does not know yet. In return its length is known to both sides.
 * @param onRead told of the bytes of each piece
 * @throws DOMException when a file cannot be read, or the signal fires
 */
export async function archiveOf(
  items: readonly Item[],
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<File> {
  /** Pieces of files, which come through the library as they are; with the first one of a file, that file. */
  const pieces = new Map<Uint8Array, File | undefined>()
  async function* read(file: File) {
    const reader = file.stream().getReader()
    let whose: File | undefined = file
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) return
      pieces.set(value, whose)
      whose = undefined
      onRead(value.byteLength)
      yield value
    }
  }
  const entries = items.map(({ path, file }) =>
    file === undefined
      ? { name: `${path}/`, lastModified: Date.now() }
      : { name: path, input: read(file), size: file.size, lastModified: file.lastModified },
  )
  const parts: BlobPart[] = []
  const reader = zip.makeZip(entries).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!pieces.has(value)) parts.push(value as Uint8Array<ArrayBuffer>)
    else {
      const file = pieces.get(value)
      pieces.delete(value)
      if (file !== undefined) parts.push(file)
    }
  }
  const name = zipName(items.map(({ path }) => path))
  return new File(parts, name, { type: 'application/zip', lastModified: Date.now() })
}
