/** Connections whose bytes are known, both ways. */

import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { client, Peer, startPair, startService } from './rig.js'

/** Bytes that say where they belong: the same seed makes the same stream. */
function stream(seed: string, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < bytes; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest())
  return Buffer.concat(parts).subarray(0, bytes)
}

const UP = stream('up', 3_000_000)
export const DOWN = stream('down', 3_000_000)

export interface Both {
  readonly near: Peer
  readonly far: Peer
}

/** Connections that send `UP` and `DOWN`, and the ends of each. */
class Service {
  readonly fars: Peer[] = []
  onSocket(socket: Socket): void {
    this.fars.push(new Peer(socket))
    socket.end(DOWN)
  }
}

export async function started(t: Test, server: string, name: string) {
  const service = new Service()
  const target = await startService(t, (socket) => service.onSocket(socket))
  const pair = await startPair(t, { server, target: `${target}`, name })
  const begin = async (): Promise<Both> => {
    const number = service.fars.length
    const near = client(t, pair.port)
    near.socket.end(UP)
    await eventually(() => service.fars.length > number || 'nobody was connected to the service')
    return { near, far: service.fars[number]! }
  }
  return { pair, begin }
}

/** Each end has the whole and a clean end, or a part from the beginning and a cut. */
export function isWholeOrCut(t: Test, { near, far }: Both, what: string): void {
  for (const [peer, truth, side] of [[near, DOWN, 'near'] as const, [far, UP, 'far'] as const]) {
    const { read } = peer
    t.ok(
      read.equals(truth.subarray(0, read.length)),
      `${what}, ${side}: nothing lost or repeated in ${read.length} bytes`,
    )
    if (peer.over === 'end') t.equal(read.length, truth.length, `${what}, ${side}: an end is the end of all of it`)
  }
}
