import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { loadEngine } from '../native/engine.js'

/**
 * Request line and headers together, in bytes. uWebSockets' own 4096 is less than what one forwarded header may have. It
 * reads the variable when its library is loaded, so this module must be the only one that loads it.
 */
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '32768'
const uws = loadEngine().exports as UwsModule

/** What the module has, which is more than its types declare. */
interface UwsModule {
  App(): UwsApp
  SSLApp(options: UwsTlsOptions): UwsTlsApp
  us_listen_socket_close(socket: us_listen_socket): void
  us_socket_local_port(socket: us_listen_socket): number
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  _cfg(option: 'silent'): void
}

/** Paths of PEM files, and an OpenSSL cipher list for TLS 1.2; those of TLS 1.3 are fixed. */
export interface UwsTlsOptions {
  readonly cert_file_name: string
  readonly key_file_name: string
  readonly ssl_ciphers: string
}

/** An app with the form of `listen` that takes a host and options. */
export interface UwsApp extends Pick<TemplatedApp, 'close' | 'ws'> {
  any(pattern: string, handler: (res: HttpResponse, req: HttpRequest) => void): UwsApp
  listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): UwsApp
  /** A connection that was accepted elsewhere is this app's from here on. */
  adoptSocket(fd: number): UwsApp
}

/** Pieces of a message, which the types do not declare. */
export interface MessagePieces {
  sendFirstFragment(piece: Uint8Array, isBinary: boolean): number
  sendFragment(piece: Uint8Array): number
  sendLastFragment(piece: Uint8Array): number
}

export interface UwsTlsApp extends UwsApp {
  /** Clients that ask for this name, `*` being one label, get another certificate. Does nothing when it cannot be used. */
  addServerName(name: string, options: UwsTlsOptions): UwsTlsApp
  /** What is registered from here on is for those clients. Prints a line or two on standard output. */
  domain(name: string): UwsTlsApp
  /** For the two below. */
  getDescriptor(): number
  /** From here on connections that this app accepts become the other app's, in turn when there are several. */
  addChildAppDescriptor(app: number): UwsTlsApp
  removeChildAppDescriptor(app: number): UwsTlsApp
}

// Responses do not name the library and its version.
uws._cfg('silent')

export const { App, SSLApp, us_listen_socket_close, us_socket_local_port, LIBUS_LISTEN_EXCLUSIVE_PORT } = uws
