/**
 * Starts uWebSockets.js for the platform tests. These tests do not test the product: they pin down what the product
 * relies on in a binary that it does not build, so that an upgrade that changes a fact says so the same day.
 */

import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { loadEngine } from '../../gateway/native/engine.js'
import { eventually } from '../support/eventually.js'

/** The engine as it is, without what the gateway sets before it loads it. */
export const uws = loadEngine().exports as typeof import('uWebSockets.js')

type ListenCallback = (socket: us_listen_socket | false) => void

/** What the module has and its types do not declare. */
interface Undeclared {
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  _cfg(option: string): void
}

/** The fourth form of listen(), which exists, works and is not declared. */
interface ListensWithHostAndOptions {
  listen(host: string, port: number, options: number, callback: ListenCallback): TemplatedApp
}

interface ListensWithOptions {
  listen(port: number, options: number, callback: ListenCallback): TemplatedApp
}

export const EXCLUSIVE = (uws as unknown as Undeclared).LIBUS_LISTEN_EXCLUSIVE_PORT

/** Removes the `uWebSockets` response header, for the whole process. */
export function silence(): void {
  ;(uws as unknown as Undeclared)._cfg('silent')
}

export function listen(app: TemplatedApp, host: string, port: number): Promise<us_listen_socket | false> {
  return new Promise((resolve) => {
    ;(app as unknown as ListensWithHostAndOptions).listen(host, port, EXCLUSIVE, resolve)
  })
}

/** The declared three-argument form: it takes no host. */
export function listenAnywhere(app: TemplatedApp, port: number): Promise<us_listen_socket | false> {
  return new Promise((resolve) => {
    ;(app as unknown as ListensWithOptions).listen(port, EXCLUSIVE, resolve)
  })
}

export interface Served {
  readonly app: TemplatedApp
  readonly port: number
  readonly socket: us_listen_socket
  close(): void
}

/** Anything that can undo things at the end of a test: tap's `t`. */
export interface Tidy {
  teardown(undo: () => unknown): void
}

/** Listens on 127.0.0.1 and a free port. Closed with all its connections when the test ends. */
export async function serve(t: Tidy, build: (app: TemplatedApp) => void): Promise<Served> {
  const app = uws.App()
  build(app)
  const socket = await listen(app, '127.0.0.1', 0)
  if (socket === false) throw new Error('uWebSockets could not listen on a free port of 127.0.0.1')
  let open = true
  const close = () => {
    if (!open) return
    open = false
    uws.us_listen_socket_close(socket)
    app.close()
  }
  t.teardown(close)
  return { app, socket, port: uws.us_socket_local_port(socket), close }
}

/** One response and what was seen of it. Attaches the only onAborted handler. */
export class Seen {
  aborted = false
  abortedAt = 0
  /** Bytes that onData got. */
  bytes = 0
  /** `[bytes, last]` of every onData call. */
  readonly calls: [number, boolean][] = []
  readonly born = performance.now()
  readonly res: HttpResponse
  /** From the start of the handler to onAborted. */
  get abortedAfterMs(): number {
    return this.abortedAt - this.born
  }

  constructor(res: HttpResponse) {
    this.res = res
    res.onAborted(() => {
      this.aborted = true
      this.abortedAt = performance.now()
    })
  }

  /** Reads the body. `each` runs inside onData. */
  read(each: (chunk: ArrayBuffer, last: boolean) => void = () => {}): this {
    this.res.onData((chunk, last) => {
      this.bytes += chunk.byteLength
      this.calls.push([chunk.byteLength, last])
      each(chunk, last)
    })
    return this
  }

  get last(): boolean {
    return this.calls.at(-1)?.[1] === true
  }

  async untilAborted(timeoutMs?: number): Promise<void> {
    await eventually(() => this.aborted || 'onAborted was not called', timeoutMs === undefined ? {} : { timeoutMs })
  }

  async untilBytes(bytes: number): Promise<void> {
    await eventually(() => this.bytes >= bytes || `onData got ${this.bytes} of ${bytes} bytes`)
  }

  async untilLast(): Promise<void> {
    await eventually(() => this.last || 'onData was not called with last = true')
  }
}

/** Keeps the responses of a handler by their path, for a test that goes on with them outside of the handler. */
export class Desk {
  readonly #seen = new Map<string, Seen>()

  put(path: string, seen: Seen): Seen {
    this.#seen.set(path, seen)
    return seen
  }

  handler(each: (seen: Seen, req: HttpRequest) => void): (res: HttpResponse, req: HttpRequest) => void {
    return (res, req) => each(this.put(req.getUrl(), new Seen(res)), req)
  }

  async arrival(path: string): Promise<Seen> {
    await eventually(() => this.#seen.has(path) || `no request for ${path} arrived`)
    return this.#seen.get(path)!
  }
}

/** A request head. `Host` is there already; lines are Latin-1. */
export function head(method: string, path: string, ...lines: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: test', ...lines, '', ''].join('\r\n')
}

export function chunk(data: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), Buffer.from(data), Buffer.from('\r\n')])
}

export const LAST_CHUNK = '0\r\n\r\n'

/** Bytes that differ at every position within a few pages, so that a lost or doubled piece changes the hash. */
export function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >>> 8) * 17 + (i >>> 16) * 7) & 0xff
  return bytes
}
