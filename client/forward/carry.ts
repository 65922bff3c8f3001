import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { lost } from '../wire/exchange.js'
import { ConnectionLost } from '../wire/failures.js'
import { END, FrameReader, marker, STILL_HERE } from './frames.js'
import { endOnlyAtAnEnd } from './honest-end.js'
import { reset } from './reset.js'
import type { Way, WayName } from './ways/way.js'

/** Bytes of one connection. */
export interface Traffic {
  /** Read from its socket, and given to the way. */
  sent: number
  received: number
}

/** What carries one connection to its end. */
export interface Carrier {
  readonly name: WayName
  /**
   * The socket is reset when it breaks.
   * @param stopped rejects with the reason when it is to be broken off
   * @throws why it was cut
   */
  carry(socket: Socket, traffic: Traffic, stopped: Promise<never>): Promise<void>
}

/** The socket's own program has broken the connection. */
export class SocketBroken extends Error {}

/** So many pieces of one direction, 64 KiB each at most, are under way to the system at once. */
const KEPT_CHUNKS = 2
/**
 * So often a direction is looked at, in milliseconds, and filled when it was silent since the last time: none is silent for twice as
 * long. Proxies cut what is silent for a minute.
 */
const LOOK_MS = 10_000
/** A direction in which so long not even that has come is dead, in milliseconds. */
const DEAD_MS = 75_000

/** A way with frames on it. */
export function framed(way: Way): Carrier {
  return { name: way.name, carry: (socket, traffic, stopped) => carry(socket, way, traffic, stopped) }
}

/**
 * Carries a connection: what the socket's program writes goes out by the way, what the other side's writes comes in. Each direction
 * ends by itself. What breaks breaks all of it: the socket is reset then, so that its program never takes a cut for an end.
 * @param stopped rejects with the reason when it is to be broken off
 * @param lookMs how often each direction is looked at, in milliseconds
 * @throws SocketBroken, or why it was cut
 */
export async function carry(
  socket: Socket,
  way: Way,
  traffic: Traffic,
  stopped: Promise<never>,
  lookMs = LOOK_MS,
): Promise<void> {
  endOnlyAtAnEnd(socket)
  const closed = closing(socket)
  try {
    const both = [outward(socket, way.out, traffic, lookMs), way.in.then((stream) => inward(stream, socket, traffic))]
    await Promise.race([Promise.all([...both, way.delivered, closed]), stopped])
  } catch (error) {
    way.cut()
    reset(socket)
    throw error
  }
}

/** Resolves when both directions of the socket are over. */
export function closing(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('error', () => reject(new SocketBroken('its program has broken it')))
    socket.once('close', () => resolve())
  })
  closed.catch(() => {})
  return closed
}

function outward(socket: Socket, out: Writable, traffic: Traffic, lookMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // The head of a response leaves with the first byte: so the other side sees at once that this one is there.
    out.write(STILL_HERE)
    let isBusy = false
    const filling = setInterval(() => {
      if (!isBusy && underWay === 0) out.write(STILL_HERE)
      isBusy = false
    }, lookMs)
    // Not by 'drain', which a request of Node does not tell any more when its response is over.
    let underWay = 0
    const written = () => {
      if (--underWay < KEPT_CHUNKS) socket.resume()
    }
    socket.resume()
    socket.on('data', (chunk: Buffer) => {
      isBusy = true
      traffic.sent += chunk.length
      // Both leave by one call: what is written in one turn is.
      out.write(marker(chunk.length))
      out.write(chunk, written)
      if (++underWay >= KEPT_CHUNKS) socket.pause()
    })
    // A write that finds the connection reset takes the error, and a read that comes before its callback gets an end.
    socket.once('end', () => setImmediate(end))
    const end = () => {
      if (socket.errored) return
      clearInterval(filling)
      out.end(END)
      resolve()
    }
    socket.once('close', () => {
      clearInterval(filling)
      reject(new SocketBroken('its program has broken it'))
    })
  })
}

function inward(stream: Readable, socket: Socket, traffic: Traffic): Promise<void> {
  return new Promise((resolve, reject) => {
    const frames = new FrameReader()
    let cameAt = performance.now()
    const watching = setInterval(() => {
      if (stream.isPaused()) cameAt = performance.now()
      else if (performance.now() - cameAt > DEAD_MS) fail(new ConnectionLost('nothing came for more than a minute'))
    }, LOOK_MS)
    const fail = (error: Error) => {
      clearInterval(watching)
      stream.destroy()
      reject(error)
    }
    let hasRoom = true
    const give = (bytes: Buffer) => {
      traffic.received += bytes.length
      hasRoom = socket.write(bytes) && hasRoom
    }
    socket.on('drain', () => {
      hasRoom = true
      stream.resume()
    })
    stream.on('data', (chunk: Buffer) => {
      cameAt = performance.now()
      try {
        frames.take(chunk, give)
      } catch (error) {
        fail(error as Error)
        return
      }
      if (!hasRoom) stream.pause()
    })
    stream.once('end', () => {
      // A proxy that lost the other side may end what it hands on as if it were whole.
      if (!frames.isEnded) return fail(new ConnectionLost('the other side is gone'))
      clearInterval(watching)
      socket.end()
      resolve()
    })
    stream.once('error', (error) => fail(lost(error)))
    stream.once('close', () => fail(new ConnectionLost('the other side is gone')))
  })
}
