/** What the pages are made of, without a browser. */

import t from 'tap'
import { isHardToGuess } from '../../../plugins/pages/guessing.js'
import { inAddress, nameProblem, newName } from '../../../plugins/pages/name.js'
import { joined, zipName } from '../../../plugins/pages/page/bundle-of-files.js'
import { isLoopback, placesOf } from '../../../plugins/pages/page/places.js'
import { finalStatus, outcomeOf, outcomeOfReceipt } from '../../../plugins/pages/page/sender-status.js'
import { WORDLIST } from '../../../plugins/pages/wordlist.js'
import { IDLE } from '../../../plugins/transfer-status/idle.js'

t.test('a name has at least 40 bits, in words that can be told apart', async (t) => {
  t.equal(new Set(WORDLIST).size, 256)
  for (const word of WORDLIST) t.match(word, /^[a-z]{4,8}$/)
  t.ok(4 * Math.log2(WORDLIST.length) + Math.log2(1000) > 41)
  const drawn = new Uint32Array([0, 255, 256, 4_294_967_295, 4_294_967_007])
  const name = newName((numbers) => {
    t.equal(numbers.length, drawn.length, 'every part is drawn')
    return drawn
  })
  t.equal(name, `${WORDLIST[0]}-${WORDLIST[255]}-${WORDLIST[0]}-${WORDLIST[255]}-007`)
})

t.test('what people think of is easy to guess, what nobody thinks of is hard', async (t) => {
  const easy = [
    'a',
    'test',
    'test-test-test-test-test',
    'holiday-photos-2026',
    '1234567890',
    '1111111111111111',
    'photo2026',
    '',
  ]
  for (const name of easy) t.notOk(isHardToGuess(name), name)
  const hard = [
    'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'amber-otter-lantern-maple-407',
    'x7Kq9Lm2tR4b',
    'correct-horse-battery-staple-now',
  ]
  for (const name of hard) t.ok(isHardToGuess(name), name)
})

t.test('a place is offered only to who would give out an address that is good for nobody else', async (t) => {
  const here = { protocol: 'http:', hostname: '127.0.0.1', port: '8080', origin: 'http://127.0.0.1:8080' }
  t.same(placesOf(here, ['192.0.2.2', '[fd00::2]']), [
    { origin: 'http://127.0.0.1:8080', label: 'This machine only' },
    { origin: 'http://192.0.2.2:8080', label: '192.0.2.2' },
    { origin: 'http://[fd00::2]:8080', label: '[fd00::2]' },
  ])
  t.same(placesOf(here, []), [])
  t.same(placesOf({ ...here, hostname: 'pipe.example' }, ['192.0.2.2']), [])
  for (const host of ['localhost', 'a.localhost', '127.8.9.1', '[::1]']) t.ok(isLoopback(host), host)
  for (const host of ['192.0.2.2', '127.0.0.1.example', 'localhost.example', '[::2]']) t.notOk(isLoopback(host), host)
})

t.test('files that are sent as one', async (t) => {
  const paths = (...lists: string[][]) =>
    lists
      .reduce<{ path: string }[]>(
        (all, list) =>
          joined(
            all,
            list.map((path) => ({ path })),
          ),
        [],
      )
      .map(({ path }) => path)
  t.same(paths(['a.txt', 'a.txt'], ['a.txt', 'd.x/a', 'd.x/a', '.rc', '.rc']), [
    'a.txt',
    'a (2).txt',
    'a (3).txt',
    'd.x/a',
    'd.x/a (2)',
    '.rc',
    '.rc (2)',
  ])
  t.equal(zipName(['photos/a', 'photos/b/c']), 'photos.zip')
  t.equal(zipName(['photos/a', 'other/b']), 'files.zip')
  t.equal(zipName(['a', 'b']), 'files.zip')
  t.equal(zipName(['photos']), 'files.zip', 'an empty folder')
})

t.test('what is typed is text: in an address, and within quotes of a shell', async (t) => {
  t.equal(inAddress(`a b/c?d#e%41'é`), 'a%20b/c%3Fd%23e%2541%27%C3%A9')
  for (const name of ['a', 'a/b', 'a.b', '...', 'a/..b', 'é', '😀']) t.equal(nameProblem(name), undefined, name)
  for (const name of ['', '/a', '//a', '.', '..', 'a/./b', '../a', 'a/..', '\ud800']) t.ok(nameProblem(name), name)
})

t.test('what the gateway answered is an outcome, or none', async (t) => {
  const info = '[INFO] Waiting for 1 receiver(s) to connect...\n[INFO] Streaming to 1 receiver(s)...\n'
  t.same(outcomeOf(200, `${info}[INFO] Transfer complete.\n`), { kind: 'delivered' })
  t.equal(outcomeOf(200, info), undefined, 'nobody said that it was complete')
  t.equal(outcomeOf(0, ''), undefined)
  t.same(outcomeOf(0, `${info}[ERROR] Transfer failed: stopped by the operator.\n`), {
    kind: 'failed',
    why: 'stopped by the operator.',
  })
  t.same(outcomeOf(400, '[ERROR] Two senders.\n'), { kind: 'refused', why: 'Two senders.', status: 400 })
  t.same(outcomeOf(502, '<h1>Bad gateway</h1>'), { kind: 'refused', why: 'The server answered 502.', status: 502 })
})

t.test('who left before the end is told of a transfer that is complete', async (t) => {
  const receipt = {
    ...IDLE,
    state: 'complete',
    transferId: 'x',
    bytes: 5_000_000,
    duration: 2,
    durationSec: 2,
    avgSpeed: 2_500_000,
    receivers: 2,
    totalReceivers: 3,
    endedAt: 0,
  } as const
  t.same(outcomeOfReceipt(receipt), { kind: 'delivered' })
  t.match(finalStatus({ kind: 'delivered' }, receipt), {
    phase: 'complete',
    sentence: '5.0 MB in 2 s, average 2.5 MB/s. 1 of 3 receivers left before the end.',
  })
  t.same(outcomeOfReceipt({ ...receipt, state: 'failed', message: 'The sender disconnected.' }), {
    kind: 'failed',
    why: 'The sender disconnected.',
  })
})
