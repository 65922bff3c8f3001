/** Headers, both ways: what is written is read as it was, whatever it is. */

import fc from 'fast-check'
import t from 'tap'
import { ByteSource } from '../../../client/archive/byte-source.js'
import { asSeconds, type Entry, wholeMilliseconds } from '../../../client/archive/entry.js'
import { HeaderReader } from '../../../client/archive/header-reader.js'
import { END, HeaderWriter } from '../../../client/archive/header-writer.js'
import { readPax } from '../../../client/archive/pax-reader.js'
import { rawHeader, rawPax } from './raw-tar.js'
import { streamOf } from './tree.js'

const RUNS = { numRuns: 500, ...(process.env.PIPEGATE_SEED && { seed: Number(process.env.PIPEGATE_SEED) }) }

async function read(bytes: Buffer, pieces = 1 << 16): Promise<Entry | undefined> {
  return await new HeaderReader(new ByteSource(streamOf(bytes, pieces))).next()
}

const step = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 120 })
  .map((text) => text.replaceAll(/[/\0\ud800-\udfff]/g, '_'))
const path = fc.array(step, { minLength: 1, maxLength: 8 }).map((steps) => steps.join('/'))
const entry: fc.Arbitrary<Entry> = fc
  .record({
    kind: fc.constantFrom('file', 'folder', 'link', 'hard link'),
    path,
    size: fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 0o77777777777, 0o100000000000)),
    mode: fc.nat({ max: 0o777 }),
    mtimeMs: fc.oneof(
      fc.integer({ min: -1e12, max: 253402300799999 }),
      fc.integer({ min: -2000, max: 2000 }),
      fc.nat().map((s) => s * 1000),
    ),
    target: path,
  })
  .map((each) => ({
    ...each,
    size: each.kind === 'file' ? each.size : 0,
    target: each.kind.includes('link') ? each.target : '',
  }))

t.test('what is written is read', async (t) => {
  const writer = new HeaderWriter()
  await fc.assert(
    fc.asyncProperty(entry, fc.constantFrom(1, 100, 512, 5000), async (each, pieces) => {
      // One writer for all: what it left of the last header must not show.
      const found = await read(Buffer.concat([writer.write(each), END]), pieces)
      const path = each.kind === 'folder' ? `${each.path}/` : each.path
      const same = JSON.stringify(found) === JSON.stringify({ ...each, path })
      if (!same) throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(each)}`)
    }),
    RUNS,
  )
  t.pass(`${RUNS.numRuns} entries`)
})

t.test('a time survives the disk', async (t) => {
  for (const ms of [0, 1, 999, 1_600_000_000_123, 1_764_400_000_999, 253_402_300_799_999, -1, -500, -86_400_001]) {
    // As a double of seconds, cut to nanoseconds as the kernel keeps them.
    const seconds = Number(asSeconds(ms))
    t.equal(wholeMilliseconds(Math.floor(seconds * 1e6) / 1e3), ms)
  }
  t.equal(asSeconds(-1000), '-0.9999995', 'Node takes a negative number for now')
})

t.test('headers of others', async (t) => {
  const time = 1_600_000_000_000
  const file = { kind: 'file', path: 'file', size: 0, mode: 0o644, mtimeMs: time, target: '' }
  const cases: [string, Buffer, Partial<Entry>][] = [
    ['before ustar', rawHeader({ magic: '\0'.repeat(8), type: '\0', prefix: 'no prefix' }), {}],
    [
      'a folder before ustar',
      rawHeader({ magic: '\0'.repeat(8), type: '\0', name: 'd/' }),
      { kind: 'folder', path: 'd/' },
    ],
    ['of GNU, which has no prefix', rawHeader({ magic: 'ustar  \0', prefix: 'times' }), {}],
    ['with a prefix', rawHeader({ prefix: 'a/b' }), { path: 'a/b/file' }],
    [
      'a name from PAX takes the place of the prefix, too',
      Buffer.concat([rawPax({ path: 'p' }), rawHeader({ prefix: 'a/b' })]),
      { path: 'p' },
    ],
    ['with spaces', rawHeader({ mode: '   644 \0', size: '         12 ' }), { size: 10 }],
    [
      'full fields',
      rawHeader({ name: 'n'.repeat(100), prefix: 'p'.repeat(155) }),
      { path: `${'p'.repeat(155)}/${'n'.repeat(100)}` },
    ],
    ['a contiguous file', rawHeader({ type: '7' }), {}],
    ['a folder with a size', rawHeader({ type: '5', size: 4096 }), { kind: 'folder' }],
    ['a size of 12 digits', rawHeader({ size: '777777777777' }), { size: 0o777777777777 }],
    [
      'a size in base 256',
      rawHeader({ size: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]) }),
      { size: 2 ** 33 + 1 },
    ],
    ['a comment for all', Buffer.concat([rawPax({ comment: 'commit' }, 'g'), rawHeader({})]), {}],
    [
      'several headers',
      Buffer.concat([rawPax({ path: 'p' }), rawPax({ mtime: '1.5' }), rawHeader({})]),
      { path: 'p', mtimeMs: 1500 },
    ],
    ['a time before 1970', Buffer.concat([rawPax({ mtime: '-0.0015' }), rawHeader({})]), { mtimeMs: -2 }],
    [
      'a time in nanoseconds',
      Buffer.concat([rawPax({ mtime: '1700000000.123999999' }), rawHeader({})]),
      { mtimeMs: 1_700_000_000_123 },
    ],
  ]
  for (const [what, bytes, wanted] of cases)
    t.same(await read(Buffer.concat([bytes, END])), { ...file, ...wanted }, what)
})

t.test('records are read by their lengths', async (t) => {
  t.same(readPax(Buffer.from('19 path=a\n9 path=b\n')), { path: 'a\n9 path=b' }, 'a line break is part of the value')
  t.same(readPax(Buffer.from('20 comment=size=999\n')), {})
})
