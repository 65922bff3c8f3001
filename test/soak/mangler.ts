/** A proxy that does to an answer what no gateway may do, so that it is seen that the verdicts would see it. */

import { connect, createServer, type Socket } from 'node:net'
import { listenOnLoopback } from '../support/loopback.js'
import type { Teardown } from '../support/teardown.js'

const NOTHING = Buffer.alloc(0)

/** Given what has come from the gateway (the head in the first piece), what is passed on; undefined cuts the client off. */
export type Mangle = (bytes: Buffer, offset: number) => Buffer | undefined

/** Returns its port. What the client sends is passed on as it is; without a gateway nobody is answered, or even heard. */
export async function startMangler(t: Teardown, to: number | undefined, mangle: Mangle): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    open.add(client)
    client.on('error', () => {}).on('close', () => open.delete(client))
    if (to === undefined) return void (mangle(NOTHING, 0) === undefined ? client.destroy() : client.resume())
    const gateway = connect(to, '127.0.0.1')
    gateway.on('error', () => client.destroy())
    client.pipe(gateway)
    let offset = 0
    gateway.on('data', (bytes) => {
      const mangled = mangle(bytes, offset)
      offset += bytes.length
      if (mangled === undefined) client.destroy()
      else if (!client.destroyed) client.write(mangled)
    })
    // Otherwise whoever waits for the rest of what was cut would wait until its own deadline.
    gateway.on('end', () => client.end())
    // A client that was cut off has not gone for the gateway: it is read to the end.
    client.on('close', () => setTimeout(() => gateway.destroy(), 2000).unref())
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    for (const each of open) each.destroy()
    server.close()
  })
  return port
}

/** Changes the piece in which this byte of the answer is. */
export function at(position: number, change: (bytes: Buffer, i: number) => Buffer | undefined): Mangle {
  return (bytes, offset) => {
    const i = position - offset
    return i >= 0 && i < bytes.length ? change(bytes, i) : bytes
  }
}

export const flip = at(9000, (bytes, i) => {
  const changed = Buffer.from(bytes)
  changed[i]! ^= 1
  return changed
})
export const drop = at(9000, (bytes, i) => Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]))
export const repeat = at(9000, (bytes, i) => Buffer.concat([bytes.subarray(0, i + 1), bytes.subarray(i)]))
/** Cuts the client off, and reads the rest, so that the gateway takes it for delivered. */
export const cutOff = at(9000, () => undefined)

/** Announces fewer bytes than there are, and passes no more on. */
export function announceFewer(from: number, to: number): Mangle {
  return (bytes, offset) => {
    if (offset > 0) return bytes
    return Buffer.from(bytes.toString('latin1').replace(`Content-Length: ${from}`, `Content-Length: ${to}`), 'latin1')
  }
}

export function replace(what: string, by: string): Mangle {
  return (bytes) => Buffer.from(bytes.toString('latin1').replace(what, by), 'latin1')
}
