/** The lines of an upload, wherever it is cut, and whenever somebody has to wait. */
import t from 'tap'
import { UploadLines } from '../../../gateway/stream/topic/upload-lines.js'
import { Random } from '../../model/random.js'

const TEXT = 'one\ntwo\r\n\n\r\nthree\rfour\n\r\r\nlast'
const LINES = ['one', 'two', '', '', 'three\rfour', '\r', 'last']

/** Cuts the text at random, and lets some lines wait. */
function read(text: string, random: Random, waits: number): string[] {
  const lines = new UploadLines()
  const got: string[] = []
  let isWaiting = false
  const take = (line: Uint8Array) => {
    got.push(Buffer.from(line).toString('latin1'))
    isWaiting = random.chance(waits)
    return !isWaiting
  }
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0, to = 0; at < bytes.length; at = to) {
    to = at + random.between(1, 1 + random.below(bytes.length))
    const piece = Buffer.from(bytes.subarray(at, to))
    if (isWaiting) lines.keep(piece)
    else lines.feed(piece, take)
    // It was only lent.
    piece.fill(0x0a)
    if (isWaiting && random.chance(50)) lines.goOn(take)
  }
  while (isWaiting) {
    isWaiting = false
    lines.goOn(take)
  }
  const rest = lines.end()
  if (rest !== undefined) got.push(Buffer.from(rest).toString('latin1'))
  t.equal(lines.kept, 0)
  return got
}

t.test('LF and CRLF end a line, CR does not, and the last one needs none', async (t) => {
  for (let seed = 1; seed <= 300; seed++) {
    for (const waits of [0, 30, 100]) {
      const got = read(TEXT, new Random(seed), waits)
      if (JSON.stringify(got) !== JSON.stringify(LINES)) t.same(got, LINES, `seed ${seed}, ${waits} %`)
    }
  }
  t.pass()
})

t.test('a long line in small pieces is searched and copied a few times, and not each time', async (t) => {
  const lines = new UploadLines()
  const piece = Buffer.alloc(16, 'x')
  const started = performance.now()
  for (let i = 0; i < 65_536; i++) lines.feed(piece, () => true)
  t.equal(lines.kept, 1024 * 1024)
  let length = 0
  lines.feed(Buffer.from('\n'), (line) => {
    length = line.length
    return true
  })
  t.equal(length, 1024 * 1024)
  t.ok(performance.now() - started < 5000)
  t.equal(lines.end(), undefined)
})
