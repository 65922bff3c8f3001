/** Viewers of WebM: the header, and a keyframe; parts left out for those that are slow; and WebM that lies. */
import { startGateway } from '../../../support/gateway.js'
import {
  countsOf,
  exactly,
  hasGot,
  hasRead,
  joined,
  KIB,
  MIB,
  newBody,
  openLive,
  part,
  seenBy,
  viewersOf,
} from './rig.js'
import { broadcast, cluster, docType, element, header, piecesOf } from './webm.js'

const payloads = (count: number, bytes: number) => Array.from({ length: count }, () => newBody(bytes))

part('a late viewer gets the header, then the next Cluster that begins with a keyframe', async (t) => {
  const gateway = await startGateway(t)
  const stream = broadcast(payloads(8, 4 * KIB), 3)
  const { bytes, headerLength, clusters, entries } = stream
  const start = await joined(gateway, 'a?live', 1)
  const sender = await openLive(gateway, 'a?live', 'Content-Type: video/webm')
  const viewers = [{ viewer: start, offset: 0, replayed: 0 }]
  for (const [i, cut] of [headerLength + 5, clusters[1]!, clusters[4]! + 100].entries()) {
    await sender.send(bytes.subarray(i === 0 ? 0 : [0, headerLength + 5, clusters[1]!][i], cut))
    await hasRead(gateway, 'a', cut)
    const offset = entries.find((entry) => entry >= cut)!
    viewers.push({ viewer: await joined(gateway, 'a?live', viewers.length + 1), offset, replayed: headerLength })
  }
  await sender.send(bytes.subarray(clusters[4]! + 100))
  await sender.end()
  for (const { viewer, offset, replayed } of viewers) {
    await viewer.waitForResponse()
    const seen = seenBy(viewer)
    t.equal(seen.offset, offset)
    t.ok(seen.body.equals(Buffer.concat([bytes.subarray(0, replayed), bytes.subarray(offset)])), `exact from ${offset}`)
  }
})

part('join=byte: the header, then the next byte', async (t) => {
  const gateway = await startGateway(t)
  const { bytes, headerLength, clusters } = broadcast(payloads(6, 4 * KIB), 6)
  const cut = clusters[2]! + 1000
  const sender = await openLive(gateway, 'b?live')
  await sender.send(bytes.subarray(0, cut))
  await hasRead(gateway, 'b', cut)
  const atByte = await joined(gateway, 'b?live&join=byte', 1)
  const waits = await joined(gateway, 'b?live', 2)
  await sender.send(bytes.subarray(cut))
  await hasGot(atByte, bytes.length - cut)
  const seen = seenBy(atByte)
  t.equal(seen.offset, cut, 'the place of that byte')
  t.ok(seen.body.equals(Buffer.concat([bytes.subarray(0, headerLength), bytes.subarray(cut)])))
  t.equal(waits.receivedBytes, 0, 'one that waits for a keyframe has not even a head')
  await sender.end()
  const { status, body, complete } = await waits.waitForResponse()
  t.same([status, body.length, complete], [200, 0, true], 'and none came')
})

part('audio only: any Cluster is a place to begin', async (t) => {
  const gateway = await startGateway(t)
  const { bytes, headerLength, clusters } = broadcast(payloads(4, 20 * KIB), 4, header(['audio']))
  const sender = await openLive(gateway, 'c?live')
  await sender.send(bytes.subarray(0, clusters[2]! - 10))
  await hasRead(gateway, 'c', clusters[2]! - 10)
  const viewer = await joined(gateway, 'c?live', 1)
  await sender.send(bytes.subarray(clusters[2]! - 10))
  await sender.end()
  await viewer.waitForResponse()
  t.equal(seenBy(viewer).offset, clusters[2])
  t.ok(seenBy(viewer).body.equals(Buffer.concat([bytes.subarray(0, headerLength), bytes.subarray(clusters[2]!)])))
})

part('skip: whole Clusters are left out for a viewer that stands still, and it goes on at a keyframe', async (t) => {
  const gateway = await startGateway(t)
  const stream = broadcast(payloads(320, 128 * KIB), 4)
  const { bytes, clusters } = stream
  const reads = await joined(gateway, 'd?live', 1)
  const frozen = await joined(gateway, 'd?live', 2, 'frozen')
  const strict = await joined(gateway, 'd?live&slow=cut', 3, 'frozen')
  const sender = await openLive(gateway, 'd?live&lag=4194304')
  const middle = clusters[200]!
  // Who reads is never so far behind that it would be left out, however slow this process is.
  const keepsUp = (at: number) => hasGot(reads, at - 2 * MIB)
  for (let at = 0; at < middle; at += MIB) {
    await keepsUp(at)
    await sender.send(bytes.subarray(at, Math.min(at + MIB, middle)))
  }
  await hasRead(gateway, 'd', middle)
  await viewersOf(gateway, 'd', 2)
  t.equal(countsOf(gateway, 'd')?.cuts, 1, 'who would rather be cut is')
  frozen.resume()
  for (let at = middle; at < bytes.length; at += MIB / 4) {
    await keepsUp(at)
    await sender.send(bytes.subarray(at, Math.min(at + MIB / 4, bytes.length)))
    await hasRead(gateway, 'd', Math.min(at + MIB / 4, bytes.length))
  }
  const counts = countsOf(gateway, 'd')
  t.ok((counts?.skips ?? 0) > 0, `${counts?.skips} times`)
  await sender.end()
  await hasGot(reads, bytes.length)
  await reads.waitForResponse()
  exactly(t, reads, bytes, 0, 'clean')
  await frozen.waitForResponse({ timeoutMs: 30_000 })
  const seen = seenBy(frozen)
  t.equal(seen.offset, 0)
  const pieces = piecesOf(seen.body, stream)
  t.ok(pieces !== undefined && pieces.length > 1, `pieces of the stream, each at a keyframe: ${JSON.stringify(pieces)}`)
  t.equal(pieces?.at(-1)?.[1], bytes.length, 'the last to the end of it')
  strict.resume()
  await strict.waitForClose()
  exactly(t, strict, bytes, 0, 'cut')
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 3 viewers).')
})

part('slow=cut of the sender holds for WebM as well', async (t) => {
  const gateway = await startGateway(t)
  const { bytes } = broadcast(payloads(100, 256 * KIB), 4)
  const frozen = await joined(gateway, 'e?live', 1, 'frozen')
  const sender = await openLive(gateway, 'e?live&slow=cut&lag=1048576')
  await sender.send(bytes)
  await viewersOf(gateway, 'e', 0)
  t.match(countsOf(gateway, 'e'), { skips: 0, cuts: 1 })
  await sender.end()
  frozen.resume()
  await frozen.waitForClose()
  exactly(t, frozen, bytes, 0, 'cut')
})

/** An ID never begins with a zero. */
const noise = Buffer.concat([Buffer.alloc(8), newBody(64 * KIB)])
/** Streams that begin like WebM, and what is wrong with them. */
const LIES: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['another document type', Buffer.concat([docType('avi '), noise])],
  ['noise behind the header', Buffer.concat([header(), noise])],
  [
    'an element of 2^50 bytes',
    Buffer.concat([docType(), element(0x18538067, 'open'), element(0x1549a966, noise, 2 ** 50)]),
  ],
  [
    'Tracks that are longer than the header may be',
    Buffer.concat([docType(), element(0x18538067, 'open'), element(0x1549a966, newBody(2 * MIB))]),
  ],
  ['a Cluster before any track', Buffer.concat([docType(), element(0x18538067, 'open'), cluster('key', noise)])],
  [
    'a block of one byte',
    Buffer.concat([header(), element(0x1f43b675, 'open'), element(0xa3, Buffer.of(0x81)), noise]),
  ],
  [
    'an element in the EBML header that is longer than it',
    Buffer.concat([element(0x1a45dfa3, element(0x4282, Buffer.from('webm'), 4000)), noise]),
  ],
  ['only the first bytes of it', Buffer.from('1a45dfa3', 'hex')],
  ['zeros behind the first bytes', Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.alloc(64 * KIB)])],
]

part('WebM that lies goes on as plain bytes: nobody waits for what never comes, and nobody is hurt', async (t) => {
  const gateway = await startGateway(t)
  for (const [i, [what, bytes]] of LIES.entries()) {
    const name = `lie-${i}`
    const start = await joined(gateway, `${name}?live`, 1)
    const sender = await openLive(gateway, `${name}?live`, 'Content-Type: video/webm')
    await sender.send(bytes)
    await hasRead(gateway, name, bytes.length)
    const late = await joined(gateway, `${name}?live`, 2)
    // A file that has broken off so early may still become WebM.
    const rest = bytes.length > 4 ? newBody(32 * KIB) : Buffer.alloc(32 * KIB)
    const stream = Buffer.concat([bytes, rest])
    await sender.send(rest)
    await sender.end()
    for (const [viewer, offset] of [
      [start, 0],
      [late, bytes.length],
    ] as const) {
      await viewer.waitForResponse()
      t.comment(what)
      exactly(t, viewer, stream, offset, 'clean')
    }
  }
})

part('WebM without a keyframe: who comes late waits for one, and it is no burden', async (t) => {
  const gateway = await startGateway(t)
  const stream = Buffer.concat([header(), ...payloads(64, 256 * KIB).map((payload) => cluster('delta', payload))])
  const sender = await openLive(gateway, 'f?live')
  await sender.send(stream.subarray(0, MIB))
  await hasRead(gateway, 'f', MIB)
  const late = await joined(gateway, 'f?live', 1)
  await sender.send(stream.subarray(MIB))
  await hasRead(gateway, 'f', stream.length)
  t.ok(gateway.gateway.slabs.heldBytes <= MIB, `${gateway.gateway.slabs.heldBytes} bytes are kept`)
  await sender.end()
  t.equal((await late.waitForResponse()).body.length, 0)
})
