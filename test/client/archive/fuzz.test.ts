/** Valid archives with random damage: they end, in an error or not, and nothing is ever made outside of the folder. */

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ArchiveError } from '../../../client/archive/archive-error.js'
import { pack } from '../../../client/archive/pack.js'
import { unpack } from '../../../client/archive/unpack.js'
import { collected, plant, streamOf } from './tree.js'

/** How long it goes on. */
const MS = Number(process.env.PIPEGATE_FUZZ_SECONDS ?? 4) * 1000
const seed = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** mulberry32 */
let state = seed
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0
  let x = Math.imul(state ^ (state >>> 15), 1 | state)
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
  return ((x ^ (x >>> 14)) >>> 0) % below
}

const folder = t.testdir()
const root = plant(join(folder, 'sent'), {
  a: 'a content',
  'b/c': Buffer.alloc(1500, 'c'),
  'b/link': '-> ../a',
  ünï: 'unicode',
  [`${'long'.repeat(40)}`]: 'long',
  empty: null,
})
const archive = await collected(pack([root]))

/** Bits, bytes, octal digits with a checksum that fits again, blocks that are moved, doubled, left out, and ends. */
function damaged(): Buffer {
  const bytes = Buffer.from(archive)
  const block = 512 * random(bytes.length / 512)
  const what = random(6)
  if (what === 0) bytes[random(bytes.length)]! ^= 1 << random(8)
  else if (what === 1) for (let i = 0; i < 20; i++) bytes[block + random(512)] = random(256)
  else if (what === 2) return bytes.subarray(0, random(bytes.length))
  else if (what === 3) return Buffer.concat([bytes.subarray(0, block), bytes.subarray(block + 512 * random(3))])
  else if (what === 4) return Buffer.concat([bytes.subarray(0, block + 512), bytes.subarray(block)])
  else {
    const at = random(512)
    if (at < 148 || at >= 156) bytes[block + at] = './0123457\0\\:x'.charCodeAt(random(13))
    bytes.fill(' ', block + 148, block + 156)
    const sum = bytes.subarray(block, block + 512).reduce((all, byte) => all + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, block + 148)
  }
  return bytes
}

t.test(`PIPEGATE_SEED=${seed}`, async (t) => {
  const [ends, around] = [performance.now() + MS, join(folder, 'around')]
  let [runs, whole] = [0, 0]
  for (; performance.now() < ends; runs++) {
    mkdirSync(around)
    const unpacking = unpack(streamOf(damaged(), 1 + random(2000)), join(around, 'target'), { maxBytes: 1 << 20 })
    try {
      await unpacking.commit()
      whole++
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error
    }
    const [name, ...more] = readdirSync(around)
    if (more.length > 0 || !/^target(\.part)?$/.test(name!)) t.fail(`run ${runs}: ${[name, ...more]} is there`)
    rmSync(around, { recursive: true })
  }
  t.same(readdirSync(folder).sort(), ['sent'])
  t.ok(runs > 50, `${runs} archives, ${whole} of them were taken`)
})
