/** The digest of a stream, whoever asks for it and whenever it begins. */
import type { Digest } from '../../../../core/index.js'
import { scene, whole } from './scene.js'

/** A digest that a test can check: all bytes in order. */
function newTranscript(): Digest {
  const pieces: Uint8Array[] = []
  return { update: (bytes) => void pieces.push(bytes.slice()), hex: () => Buffer.concat(pieces).toString('hex') }
}

for (const who of ['sender', 'receiver', 'nobody', 'a receiver that left'] as const) {
  for (const [what, early, late] of [
    ['all before', 700, 0],
    ['some before', 300, 400],
    ['nothing before', 0, 700],
    ['nothing at all', 0, 0],
  ] as const) {
    scene(`a digest, asked for by ${who}, with ${what} the stream begins`, {}, (bench, t) => {
      const newDigest = newTranscript
      const sender = bench.sender('a', { n: 2, ...(who === 'sender' && { newDigest }) })
      if (early > 0) sender.feed(early)
      if (late === 0) sender.end()
      if (who === 'a receiver that left') bench.receiver('a', { n: 2, newDigest }).leave()
      const pipe = bench.table.get('a')!
      bench.receiver('a', { n: 2 })
      t.equal(pipe.sha256, undefined)
      bench.receiver('a', { n: 2, ...(who === 'receiver' && { newDigest }) })
      if (late > 0) {
        sender.feed(late)
        t.equal(pipe.sha256, undefined, 'not before the last byte')
        sender.end()
      }
      const isAsked = who === 'sender' || who === 'receiver'
      t.equal(pipe.sha256, isAsked ? whole(sender).toString('hex') : undefined)
      t.equal(bench.lastReason, 'complete')
    })
  }
}
