/** The small parts of sending and receiving: lines of servers, what is told of a stream, lists, names of words. */

import { Readable } from 'node:stream'
import t from 'tap'
import { readCode } from '../../../client/receive/unseal.js'
import { quoted } from '../../../client/send/invitation.js'
import { readDescription, writeDescription } from '../../../client/wire/description.js'
import { readHave, writeHave } from '../../../client/wire/have-list.js'
import { lineSplitter, readStatusLine } from '../../../client/wire/status-lines.js'

t.test('the lines of pipegate, Hoody Pipe and Piping Server', async (t) => {
  for (const [line, wanted] of [
    ['[INFO] Waiting for 2 receiver(s) to connect...', { kind: 'waiting', receivers: 0, wanted: 2 }],
    ['[INFO] 1 receiver(s) already connected.', { kind: 'waiting', receivers: 1, wanted: undefined }],
    ['[INFO] 1 receiver(s) has/have been connected.', { kind: 'waiting', receivers: 1, wanted: undefined }],
    ['[INFO] A receiver connected, 1 of 2.', { kind: 'waiting', receivers: 1, wanted: 2 }],
    ['[INFO] Streaming to 2 receiver(s)...', { kind: 'streaming', receivers: 2 }],
    ['[INFO] Start sending to 1 receiver(s)!', { kind: 'streaming', receivers: 1 }],
    ['[INFO] Live: streaming. Viewers can join at any time.', { kind: 'streaming', receivers: 0 }],
    ['[INFO] A receiver disconnected.', { kind: 'left' }],
    ['[INFO] A receiver aborted.', { kind: 'left' }],
    ['[INFO] Upload complete.', { kind: 'uploaded' }],
    ['[INFO] Sent successfully!', { kind: 'uploaded' }],
    [`[INFO] SHA-256: ${'a'.repeat(64)}`, { kind: 'sha256', digest: 'a'.repeat(64) }],
    ['[INFO] Transfer complete.', { kind: 'complete' }],
    ['[INFO] All receiver(s) was/were received successfully.', { kind: 'complete' }],
    ['[INFO] Live stream ended (peak 3 viewers).', { kind: 'complete' }],
    [
      '[INFO] All receiver(s) was/were aborted halfway.',
      { kind: 'error', text: 'All receivers disconnected before transfer completed.' },
    ],
    ['[INFO] 3 times somebody has looked at this link; nothing was taken.', { kind: 'looked' }],
    ['[ERROR] Transfer idle for too long.', { kind: 'error', text: 'Transfer idle for too long.' }],
    ['[INFO] Something new.', { kind: 'other', text: 'Something new.' }],
    ['<html>', { kind: 'other', text: '<html>' }],
  ] as const) {
    t.same(readStatusLine(line), wanted, line)
  }
})

t.test('lines come whole, whatever pieces they come in', async (t) => {
  const text = 'one\r\ntwo\n\nthree\n'
  for (let at = 0; at <= text.length; at++) {
    const lines: string[] = []
    const split = lineSplitter((line) => void lines.push(line))
    split(text.slice(0, at))
    split(text.slice(at))
    t.same(lines, ['one', 'two', '', 'three'])
  }
  let longest = 0
  const split = lineSplitter((line) => {
    longest = Math.max(longest, line.length)
  })
  for (let i = 0; i < 100; i++) split('x'.repeat(1000))
  split('\n')
  t.ok(longest < 10_000, 'a line without an end is not kept')
})

t.test('what is told of a stream, and what is no such thing', async (t) => {
  const description = { kind: 'tar', name: 'Grüße "x"\n', files: 3, bytes: 1e12 } as const
  const header = writeDescription(description)
  t.match(header, /^[\x20-\x7e]+$/)
  t.same(readDescription(header), description)
  t.same(readDescription(`other, ${header}`), description, 'somebody else has a line of that name too')
  for (const text of [
    undefined,
    '',
    'Piping',
    'pipegate ',
    'pipegate {}',
    'pipegate {"kind":"tar","name":["a"]}',
    'pipegate {"kind":"file","mode":-1}',
    'pipegate {"kind":"file","mode":2541}',
    'pipegate {"kind":"file","bytes":1e400}',
    'pipegate {"kind":"folder"}',
    `pipegate {"kind":"file","name":"${'x'.repeat(5000)}"}`,
  ]) {
    t.equal(readDescription(text), undefined, text?.slice(0, 60) ?? 'none')
  }
})

t.test('the list of files that are whole', async (t) => {
  const files = Array.from({ length: 2500 }, (_, i) => ({ path: `d/${i}`, size: i, mtimeMs: i * 1000, mode: 0o644 }))
  const has = await readHave(Readable.from(writeHave(files, false)))
  t.ok(files.every(has))
  t.notOk(has({ ...files[7]!, size: 8 }))
  t.notOk(has({ ...files[7]!, mtimeMs: 1 }))
  t.notOk(has({ ...files[7]!, path: 'd/x' }))
  const rootless = await readHave(Readable.from(writeHave([{ ...files[7]!, path: '7' }], true)))
  t.ok(rootless(files[7]!), 'whatever the folder is called')
  const nonsense = await readHave(Readable.from([Buffer.from('{"path":1}\nnull\n\x00\n{"path":"a","size":-1}\n')]))
  t.notOk(nonsense(files[0]!))
})

t.test('a code: its name, and the secret behind it', async (t) => {
  for (const [text, word, secret] of [
    ['amber-otter-lantern-maple-407', 'amber-otter-lantern-maple-407', undefined],
    ['amber-otter-407-a-b-c-d-e-f', 'amber-otter-407', 'a-b-c-d-e-f'],
    ['Amber Otter 407  a b c d e f ', 'amber-otter-407', 'a-b-c-d-e-f'],
    ['backups/tuesday#Correct Horse', 'backups/tuesday', 'Correct Horse'],
    ['https://h.example/a-b-407#x-y', 'https://h.example/a-b-407', 'x-y'],
    ['Backups', 'Backups', undefined],
    ['a-b-407-c', 'a-b-407-c', undefined],
  ] as const) {
    t.same(readCode(text), { word, secret }, text)
  }
})

t.test('commands can be pasted into any shell', async (t) => {
  t.equal(quoted('amber-otter-407'), 'amber-otter-407')
  t.equal(quoted('https://h.example:8080/a/b'), 'https://h.example:8080/a/b')
  t.equal(quoted('a?b'), `'a?b'`)
  t.equal(quoted(`it's`), `'it'\\''s'`)
  t.equal(quoted('a#b'), `'a#b'`)
})
