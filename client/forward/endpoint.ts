import { rmSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { WrongUsage } from '../cli/wrong-usage.js'
import { reasonOf } from '../wire/failures.js'

/** Where connections come in, or where they go to. */
export type Endpoint = TcpEndpoint | { readonly path: string }

interface TcpEndpoint {
  readonly host: string
  readonly port: number
}

/** Nobody else is meant, unless somebody says so. */
const THIS_MACHINE = '127.0.0.1'
/** So long a service may take to accept a connection, in milliseconds. */
const DIAL_MS = 15_000

/**
 * `5432`, `db.internal:5432`, `[::1]:22` or `unix:/run/x.sock`.
 * @param lowest the lowest port: 0 where any free one may be meant
 * @throws WrongUsage
 */
export function readEndpoint(written: string, flag: string, lowest: 0 | 1): Endpoint {
  if (written.startsWith('unix:')) {
    const path = written.slice('unix:'.length)
    // Node takes a longer path and cuts it; a zero byte would end it.
    if (path !== '' && Buffer.byteLength(path) <= 103 && !path.includes('\0')) return { path }
    throw new WrongUsage(`${flag}: expected a path of 1 to 103 bytes behind unix:`)
  }
  const [, inBrackets, plain, digits = ''] =
    /^(?:(?:\[([0-9a-f:.%\w]+)\]|([^:[\]\s/]+)):)?(\d{1,5})$/i.exec(written) ?? []
  const port = digits === '' ? -1 : Number(digits)
  if (port < lowest || port > 65_535) {
    throw new WrongUsage(
      `${flag}: expected PORT, HOST:PORT, [IPV6]:PORT or unix:PATH, with a port from ${lowest} to 65535`,
    )
  }
  return { host: inBrackets ?? plain ?? THIS_MACHINE, port }
}

/** For people. */
export function inWords(endpoint: Endpoint): string {
  if ('path' in endpoint) return `unix:${endpoint.path}`
  const { host, port } = endpoint
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Listens, and resolves with where it does. A socket file that nobody listens on any more is replaced. */
export async function listenOn(server: Server, endpoint: Endpoint): Promise<Endpoint> {
  try {
    return await listen(server, endpoint)
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (isTaken && 'path' in endpoint && (await isForsaken(endpoint.path))) {
      rmSync(endpoint.path)
      return listen(server, endpoint)
    }
    const why = isTaken ? 'somebody listens there already' : reasonOf(error as Error)
    throw new Error(`Cannot listen on ${inWords(endpoint)}: ${why}`)
  }
}

function listen(server: Server, endpoint: Endpoint): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    // What is bound by a path belongs to its user alone.
    const before = 'path' in endpoint ? process.umask(0o177) : undefined
    server.once('error', reject).listen(endpoint, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(
        typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : endpoint,
      )
    })
    if (before !== undefined) process.umask(before)
  })
}

/** A socket file whose program is gone. */
function isForsaken(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

/** Connects to a service. @throws Error whose message is part of a sentence: `connection refused` */
export function dial(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint, allowHalfOpen: true, noDelay: true })
    const stop = () => late('the forward ends')
    const late = (why: string) => socket.destroy(new Error(why))
    const timer = setTimeout(late, DIAL_MS, 'it does not answer')
    signal.addEventListener('abort', stop, { once: true })
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    socket.once('connect', () => {
      done()
      socket.off('error', failed)
      resolve(socket)
    })
    const failed = (error: NodeJS.ErrnoException) => {
      done()
      reject(new Error(error.code === 'ENOENT' ? 'no such socket' : reasonOf(error)))
    }
    socket.once('error', failed)
  })
}
