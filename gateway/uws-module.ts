import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js'

/**
 * Request line and headers together, in bytes. uWebSockets' own 4096 is less than what one forwarded header may have. It
 * reads the variable when its library is loaded, so this module must be the only one that loads it.
 */
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '32768'
const uws = (await import('uWebSockets.js')) as unknown as UwsModule

/** What the module has, which is more than its types declare. */
interface UwsModule {
  App(): UwsApp
  SSLApp(options: { cert_file_name: string; key_file_name: string }): UwsApp
  us_listen_socket_close(socket: us_listen_socket): void
  us_socket_local_port(socket: us_listen_socket): number
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  _cfg(option: 'silent'): void
}

/** An app with the form of `listen` that takes a host and options. */
export interface UwsApp extends Pick<TemplatedApp, 'close' | 'ws'> {
  any(pattern: string, handler: (res: HttpResponse, req: HttpRequest) => void): UwsApp
  listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): UwsApp
}

// Responses do not name the library and its version.
uws._cfg('silent')

export const { App, SSLApp, us_listen_socket_close, us_socket_local_port, LIBUS_LISTEN_EXCLUSIVE_PORT } = uws
