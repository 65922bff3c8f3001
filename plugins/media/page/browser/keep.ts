/** What cannot be played can be kept: the same stream, from its first byte, into a file. */
import type { Opening } from './opening.js'

interface Target {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  close(): Promise<void>
  /** Nothing is left that could be taken for all of it. */
  abort(): Promise<void>
}

interface Picker {
  showSaveFilePicker(options: { readonly suggestedName: string }): Promise<{ createWritable(): Promise<Target> }>
}

/** Parts of this size become blobs, which a browser may put aside on disk. */
const PART = 16_000_000

/** To be called while a click is handled. @throws DOMException when the user does not say where */
export async function chooseTarget(name: string): Promise<Target> {
  if (!('showSaveFilePicker' in globalThis)) return intoDownload(name)
  const file = await (globalThis as unknown as Picker).showSaveFilePicker({ suggestedName: name })
  return file.createWritable()
}

/** Where a page cannot write to a file, a download follows when all is there. */
function intoDownload(name: string): Target {
  const parts: Blob[] = []
  let open: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  const seal = () => {
    parts.push(new Blob(open))
    open = []
    size = 0
  }
  return {
    async write(bytes) {
      open.push(bytes)
      size += bytes.length
      if (size > PART) seal()
    },
    async close() {
      seal()
      const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob(parts, { type: 'application/octet-stream' }))
      link.download = name
      link.click()
      // The browser has begun to copy it by then.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    },
    async abort() {
      parts.length = 0
    },
  }
}

/** @throws TypeError when the stream is cut; then there is no file */
export async function keep(
  { bytes, isAll }: Opening,
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  target: Target,
  moved: (bytes: number) => void,
): Promise<void> {
  try {
    let total = bytes.length
    await target.write(bytes)
    for (let over = isAll; !over; ) {
      moved(total)
      const { done, value } = await reader.read()
      over = done
      total += value?.length ?? 0
      if (value !== undefined) await target.write(value)
    }
    await target.close()
  } catch (error) {
    await target.abort().catch(() => {})
    throw error
  }
}

/** As the sender called it, else as the name is called. RFC 6266, as this gateway writes it. */
export function fileNameOf(headers: Headers, name: string): string {
  const disposition = headers.get('Content-Disposition') ?? ''
  const [, full] = /filename\*=UTF-8''([^;]+)/i.exec(disposition) ?? []
  if (full !== undefined) return decodeURIComponent(full)
  return /filename="?([^";]+)"?/i.exec(disposition)?.[1] ?? name.replace(/^.*\//, '')
}
