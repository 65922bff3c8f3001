/** Messages for WebSockets, found again wherever their bytes are cut. */
import t from 'tap'
import { SocketFrameReader, SocketFrames } from '../../../gateway/stream/topic/socket-frames.js'
import { Random } from '../../model/random.js'

t.test(
  'each message comes out whole, as text when it is UTF-8, however it was cut, and whoever stops it',
  async (t) => {
    const bodies = ['', 'a', 'späße', Buffer.from([0xff, 0]), Buffer.alloc(70_000, 'x')].map((body) =>
      Buffer.from(body as string),
    )
    const format = new SocketFrames()
    const stream = Buffer.concat(bodies.map((bytes) => format.encode({ bytes, type: '' })))
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed)
      const reader = new SocketFrameReader()
      const got: string[] = []
      const take = (bytes: Uint8Array, isText: boolean) => {
        got.push(`${isText} ${Buffer.from(bytes).toString('latin1')}`)
        return random.chance(50)
      }
      for (let at = 0; at < stream.length; ) {
        const piece = stream.subarray(at, at + 1 + random.below(random.chance(50) ? 10 : 100_000))
        at += reader.read(piece, take)
      }
      const wanted = bodies.map((bytes, i) => `${i !== 3} ${bytes.toString('latin1')}`)
      if (got.join('\n') !== wanted.join('\n')) t.fail(`seed ${seed}: ${got.length} messages`)
    }
    t.pass()
  },
)
