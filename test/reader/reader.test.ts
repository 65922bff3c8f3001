/**
 * The reader in front of uWebSockets against a second reading of RFC 9112, and both against what a person wrote down. In C it is
 * cut at every byte, and answered at once, early and late; whatever way, it has to find the same requests, with the same ends
 * and the same bodies, and what uWebSockets gets has to be sound.
 *
 * For longer: `PIPEGATE_FUZZ_SECONDS=600 npx tap --timeout=900 dist/test/reader/reader.test.js`. A connection is drawn from its
 * seed alone, and `PIPEGATE_SEED` begins with that one.
 */
import t from 'tap'
import { Random } from '../model/random.js'
import { amount } from '../support/thorough.js'
import { CORPUS } from './corpus.js'
import { buildDriver, drive } from './driver.js'
import { linesOf, wordsOf } from './events.js'
import { connectionOf } from './generate.js'
import { readConnection } from './reference.js'

const SECONDS = Number(process.env.PIPEGATE_FUZZ_SECONDS ?? amount(6, 15))
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 500
const MOST_FAILURES = 5

t.setTimeout((SECONDS + 240) * 1000)

const program = buildDriver()

t.test('every case is what is written beside it', async (t) => {
  const names = new Set(CORPUS.map(([name]) => name))
  t.equal(names.size, CORPUS.length, 'each has a name of its own')
  for (const [name, bytes, is] of CORPUS) {
    const words = wordsOf(readConnection(bytes))
    if (words !== is) t.equal(words, is, name)
  }
  t.pass(`${CORPUS.length} cases`)
})

t.test('the reader agrees, however a case is cut', async (t) => {
  const answers = drive(
    program,
    CORPUS.map(([, bytes]) => bytes),
    'every',
  )
  t.equal(answers.length, CORPUS.length)
  for (const [i, [name, bytes]] of CORPUS.entries()) {
    const expected = linesOf(readConnection(bytes))
    if (answers[i]!.join('\n') !== expected.join('\n')) t.same(answers[i], expected, name)
  }
})

t.test('half heads have a budget', async (t) => {
  const head = (value: number) => `GET /a HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(value)}\r\n\r\n`
  const poor = (bytes: string, memory: number) => drive(program, [bytes], 'poor', memory)[0]![0]!
  t.match(poor(head(10), 0), /^refused TOO_MANY_HALF_HEADS 503 $/, 'nothing is left, not even for a first byte')
  t.match(poor(head(10), 2000), /^request /, 'there is room for a short one')
  const text = Buffer.from('GET /a 1\nhost:x\n').toString('hex')
  t.equal(
    poor(head(3000), 2000),
    `refused TOO_MANY_HALF_HEADS 503 ${text}`,
    'and not for a long one, of which something is known',
  )
  t.match(poor(head(60_000), 70_000), /^request /, 'it is taken with no more memory than there can be octets')
  t.match(poor(`\r\n\r\n`, 0), /^rest nothing/, 'empty lines cost nothing')
})

t.test('the reader agrees about anything', { timeout: (SECONDS + 60) * 1000 }, async (t) => {
  const until = performance.now() + SECONDS * 1000
  let seed = FIRST
  let failures = 0
  const ends = new Map<string, number>()
  while (performance.now() < until && failures < MOST_FAILURES) {
    const connections = Array.from({ length: AT_ONCE }, (_, i) => connectionOf(new Random(seed + i)))
    const answers = drive(program, connections, 'some', seed)
    for (const [i, bytes] of connections.entries()) {
      const events = readConnection(bytes)
      const expected = linesOf(events)
      const end = wordsOf(events).match(/[45]\d\d \w+|!|…|tunnel|part/)?.[0] ?? 'sound'
      ends.set(end, (ends.get(end) ?? 0) + 1)
      if (answers[i]!.join('\n') === expected.join('\n')) continue
      failures++
      t.same(answers[i], expected, `seed ${seed + i}: ${JSON.stringify(bytes)}`)
    }
    seed += AT_ONCE
  }
  t.comment(
    `seeds ${FIRST} to ${seed - 1}: ${JSON.stringify(Object.fromEntries([...ends].sort((a, b) => b[1] - a[1])))}`,
  )
  t.equal(failures, 0)
})
