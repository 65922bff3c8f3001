/** A disk that fills up, and memory that does not. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { pack } from '../../../client/archive/pack.js'
import { unpack } from '../../../client/archive/unpack.js'
import { collectGarbage } from '../../support/garbage.js'
import { rawFile, rawHeader } from './raw-tar.js'
import { plant, streamOf } from './tree.js'

const folder = t.testdir()
const MIB = 1 << 20

/** Most bytes that lay in memory outside of the heap while it was done, beyond those before. */
async function memoryOf(work: (look: () => void) => Promise<void>): Promise<number> {
  collectGarbage()
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  await work(() => {
    // What nobody holds any more is no need of memory, and goes when the collector likes.
    collectGarbage()
    // What the first run found is given back by the second.
    collectGarbage()
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  })
  return most
}

t.test('memory', async (t) => {
  const root = plant(join(folder, 'memory'), {})
  execFileSync('truncate', ['-s', '200M', join(root, 'big')])
  const packing = await memoryOf(async (look) => {
    let bytes = 0
    for await (const piece of pack([root])) {
      bytes += piece.length
      if (bytes % (20 * MIB) < piece.length) look()
    }
  })
  t.ok(packing < 10 * MIB, `packing 200 MiB took ${packing} bytes`)
  const unpacking = await memoryOf(async (look) => {
    let next = 20 * MIB
    const progress = ({ bytes }: { bytes: number }) => {
      if (bytes < next) return
      next += 20 * MIB
      look()
    }
    await unpack(pack([root]), join(folder, 'memory too'), { progress }).commit()
  })
  t.ok(unpacking < 20 * MIB, `packing and unpacking took ${unpacking} bytes`)
})

t.test('a full disk', { skip: process.getuid?.() !== 0 && 'only root may mount' }, async (t) => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
  t.teardown(() => execFileSync('umount', [disk]))
  const small = unpack(
    streamOf(Buffer.concat(Array.from({ length: 30 }, (_, i) => rawFile(`f${i}`, 'x'.repeat(100_000))))),
    join(disk, 'small'),
  )
  await t.rejects(small.done, {
    name: 'ArchiveError',
    message: /^"f\d+" cannot be written: no space left on the disk\.$/,
  })
  t.notOk(existsSync(join(disk, 'small')))
  for (const name of readdirSync(join(disk, 'small.part'))) {
    t.equal(statSync(join(disk, 'small.part', name)).size, 100_000, `${name} is no half file`)
  }
  execFileSync('rm', ['-r', join(disk, 'small.part')])
  const large = unpack(pack([plant(join(folder, 'large'), { big: Buffer.alloc(8 * MIB, 'x') })]), join(disk, 'large'))
  await t.rejects(large.done, { message: '"large/big" cannot be written: no space left on the disk.' })
  t.same(readdirSync(join(disk, 'large.part')), ['large'])
  t.same(readdirSync(join(disk, 'large.part/large')), [])
})

t.test('packing waits for who reads', async (t) => {
  const root = plant(join(folder, 'waits'), { big: Buffer.alloc(50 * MIB, 'x') })
  let read = 0
  const stream = pack([root], {
    progress: ({ bytes }) => {
      read = bytes
    },
  })
  const piece = (await stream.next()).value!
  t.ok(piece.length > 0)
  t.ok(read <= 6 * MIB, `${read} bytes were read ahead`)
})

t.test('unpacking waits for the disk', async (t) => {
  // A header, and then pieces for as long as they are taken.
  let given = 0
  const stream = Readable.from(
    (function* () {
      yield rawHeader({ name: 'big', size: 64 * MIB })
      for (; given < 64; given++) yield Buffer.alloc(MIB)
      yield Buffer.alloc(1024)
    })(),
    { objectMode: false, highWaterMark: MIB },
  )
  let most = 0
  const progress = ({ bytes }: { bytes: number }) => {
    most = Math.max(most, given * MIB - bytes)
  }
  t.match(await unpack(stream, join(folder, 'waited'), { progress }).done, { bytes: 64 * MIB })
  t.ok(most < 8 * MIB, `${most} bytes were on their way`)
})

t.test('a stream that says nothing is waited for, and can be given up', async (t) => {
  const unpacking = unpack(new PassThrough(), join(folder, 'silent'))
  await unpacking.abort()
  await t.rejects(unpacking.done, { message: 'The unpacking was given up.' })
})
