/** How a recording leaves: while it is made, or when it is over. */
import { requestHeaders } from '../../../page-kit/page/browser/credentials.js'

/** Browsers send what is still being made over HTTP/2 and HTTP/3 only, and not all of them do. */
export function canStream(): boolean {
  const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  return page?.nextHopProtocol !== 'http/1.1' && page?.nextHopProtocol !== 'http/1.0' && takesStreams()
}

/** A browser that does not know streams as bodies makes a text of one, and gives it a type. */
function takesStreams(): boolean {
  let isAsked = false
  const body = new ReadableStream()
  const init = {
    body,
    method: 'POST',
    get duplex() {
      isAsked = true
      return 'half'
    },
  }
  return !new Request(location.href, init).headers.has('Content-Type') && isAsked
}

export interface Answered {
  readonly status: number
  readonly text: string
}

/** Resolves with what the gateway says at the end. @throws TypeError when the connection is lost, or a stream is cut */
export async function put(
  address: string,
  body: ReadableStream<Uint8Array<ArrayBuffer>> | Blob,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answered> {
  const streamed = body instanceof Blob ? {} : { duplex: 'half' }
  const all = { ...requestHeaders(), ...headers }
  const response = await fetch(address, { method: 'PUT', body, headers: all, signal, ...streamed })
  return { status: response.status, text: await response.text() }
}

/** Why it was not delivered, as a sentence; undefined when it was. */
export function failureOf({ status, text }: Answered): string | undefined {
  const error = /^\[ERROR\] (.*)/m.exec(text)?.[1]
  if (error !== undefined) return error.replace(/^Transfer failed: /, '')
  return status < 300 ? undefined : `The server answered ${status}.`
}
