import type { AddressInfo, Server } from 'node:net'

/** Listens on 127.0.0.1. Resolves with the port: a free one, unless one is given. */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}
