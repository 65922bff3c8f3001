/** A stream that the page itself reads: to show it, or because a download of the browser's own cannot carry a token. */

/** Text up to this size is shown; more than that is a file. */
const MOST_TEXT = 1_000_000

export interface Received {
  /** Undefined when it is no text, or too much to show. */
  readonly text?: string
  /** Saved instead, under this name. */
  readonly file?: string
}

/**
 * Reads all of it. Text is handed out as it comes; what turns out to be none, or too long, is saved, so that nothing is lost.
 * @throws TypeError when the stream is cut, DOMException when the signal fires
 */
export async function receive(
  response: Response,
  wanted: 'text' | 'file',
  name: string,
  onText: (text: string) => void,
): Promise<Received> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text: string | undefined = wanted === 'text' && isText(response.headers) ? '' : undefined
  const reader = response.body!.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (!done) parts.push(value)
    if (text !== undefined) text = grown(text, decoder, value)
    if (text !== undefined) onText(text)
    if (done) break
  }
  if (text !== undefined) return { text }
  const file = filenameOf(response.headers) ?? name.replace(/^.*\//, '')
  save(new Blob(parts, { type: 'application/octet-stream' }), file)
  return { file }
}

function grown(text: string, decoder: TextDecoder, bytes: Uint8Array<ArrayBuffer> | undefined): string | undefined {
  try {
    const more = text + decoder.decode(bytes, { stream: bytes !== undefined })
    return more.length > MOST_TEXT || more.includes('\0') ? undefined : more
  } catch {
    return undefined
  }
}

/** What says nothing of itself may be text. */
function isText(headers: Headers): boolean {
  const type = headers.get('Content-Type') ?? ''
  return type === '' || /^(text\/|application\/(json|x-www-form-urlencoded))/.test(type)
}

/** RFC 6266, as this gateway writes it. */
function filenameOf(headers: Headers): string | undefined {
  const disposition = headers.get('Content-Disposition') ?? ''
  const [, full] = /filename\*=UTF-8''([^;]+)/i.exec(disposition) ?? []
  if (full !== undefined) return decodeURIComponent(full)
  return /filename="?([^";]+)"?/i.exec(disposition)?.[1]
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // The browser has begun to copy it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
