import type { AddressInfo, Server } from 'node:net'

// Below the ports that systems give to clients' connections (32768 up on Linux): one of those could be a client's by the
// time a test listens on the same port again.
const LOWEST = 10_000
const HIGHEST = 30_000

/** Listens on 127.0.0.1. Resolves with the port: a free one, unless one is given. */
export async function listenOnLoopback(server: Server, port?: number): Promise<number> {
  for (;;) {
    try {
      await listen(server, port ?? LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST)))
      return (server.address() as AddressInfo).port
    } catch (error) {
      if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}
