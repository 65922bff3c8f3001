/** The list of what a receiver has, when it is made to harm the sender. */

import t from 'tap'
import { readHave, writeHave } from '../../../client/wire/have-list.js'

const FILE = { path: 'd/é', size: 3, mtimeMs: 5, mode: 0o644 }

t.test('it is read in pieces of any length', async (t) => {
  async function* pieces() {
    for await (const chunk of writeHave([FILE], false)) for (const byte of chunk) yield Uint8Array.of(byte)
  }
  const has = await readHave(pieces())
  t.ok(has(FILE))
  t.notOk(has({ ...FILE, size: 4 }))
})

t.test('lines that have no end, and lists that have none, do not fill the memory', async (t) => {
  const before = process.memoryUsage().rss
  async function* endless() {
    const chunk = Buffer.alloc(1 << 20, 'x')
    for (;;) yield chunk
  }
  await t.rejects(readHave(endless()), /longer than \d+ bytes/)
  t.ok(process.memoryUsage().rss - before < 150e6, `${(process.memoryUsage().rss - before) / 1e6} MB`)
})
