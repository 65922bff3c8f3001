/**
 * Rendezvous hashing (highest random weight, Thaler and Ravishankar 1998): for every name each node has a weight of its own,
 * and the heaviest gets the name. Whoever has the same nodes chooses the same one, in whatever order they stand; a node that
 * goes gives away its own names only, evenly to all others, and gets the same ones back.
 *
 * Processes of different versions stand side by side during an upgrade and have to agree: what comes out here never changes.
 */

/** What a name is weighed by; made once for each node. */
export interface Node {
  /** What it is known by on every edge, ASCII: `10.0.0.1:8080`. */
  readonly id: string
  /** `hash(id)` */
  readonly hash: number
}

/** The node that a key belongs to; undefined when there is none. Allocates nothing. */
export function heaviest<N extends Node>(nodes: readonly N[], key: string): N | undefined {
  const name = hash(key)
  let best: N | undefined
  let most = 0
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!
    const weight = mix(name ^ node.hash)
    if (best === undefined || weight > most || (weight === most && node.id > best.id)) {
      best = node
      most = weight
    }
  }
  return best
}

/**
 * MurmurHash3 (x86, 32 bits, seed 0) of an ASCII text, as a signed number. Of other characters the low byte counts; names of
 * pipes have none.
 */
export function hash(text: string): number {
  const { length } = text
  const blocks = length & ~3
  let h = 0
  for (let i = 0; i < blocks; i += 4) {
    h ^= scramble(byte(text, i) | (byte(text, i + 1) << 8) | (byte(text, i + 2) << 16) | (byte(text, i + 3) << 24))
    h = (Math.imul(rotate(h, 13), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let i = length - 1; i >= blocks; i--) tail = (tail << 8) | byte(text, i)
  return mix(h ^ scramble(tail) ^ length)
}

function byte(text: string, at: number): number {
  return text.charCodeAt(at) & 0xff
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593)
}

/** MurmurHash3's finalizer: every bit of what comes in turns every bit of what goes out with the same probability. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
