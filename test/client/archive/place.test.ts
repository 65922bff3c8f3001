/** Nothing is made outside of the folder, also while somebody exchanges its folders for links. */

import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { Place } from '../../../client/archive/place.js'
import { unpack } from '../../../client/archive/unpack.js'
import { END, rawFile } from './raw-tar.js'
import { plant, streamOf, tree } from './tree.js'

const folder = t.testdir()

for (const byDescriptor of [true, false]) {
  t.test(byDescriptor ? 'by descriptors, as on Linux' : 'by paths, as elsewhere', async (t) => {
    const root = plant(join(folder, `root ${byDescriptor}`), {
      'a/b': null,
      outside: '-> ../elsewhere',
      'a/up': '-> ../..',
      file: '',
    })
    mkdirSync(join(folder, 'elsewhere'), { recursive: true })
    const place = new Place(root, byDescriptor)
    writeFileSync(place.at('a/b/new/x'), 'x')
    writeFileSync(place.at('a/b/new/deep/y'), 'y')
    writeFileSync(place.at('a/z'), 'z')
    writeFileSync(place.at('top'), 'top')
    for (const path of ['a/b/new/x', 'a/b/new/deep/y', 'a/z', 'top']) t.ok(existsSync(join(root, path)), path)
    t.equal(lstatSync(join(root, 'a/b/new')).mode & 0o777, 0o700, 'nobody else looks into it before it is whole')
    for (const path of ['outside/x', 'a/up/x', 'file/x', 'a/up/root/x', 'outside/deep/x']) {
      t.throws(() => place.at(path), { name: 'ArchiveError', message: /no folder/ }, path)
    }
    t.same(readdirSync(join(folder, 'elsewhere')), [])
    // Exchanged after it was looked at.
    place.enter('a/b')
    renameSync(join(root, 'a/b'), join(root, 'a/moved'))
    symlinkSync('../../elsewhere', join(root, 'a/b'))
    if (byDescriptor) writeFileSync(place.at('a/b/x'), 'x')
    else t.throws(() => place.at('a/b/x'), /no folder/)
    t.equal(existsSync(join(root, 'a/moved/x')), byDescriptor, 'the open folder is the one that was looked at')
    t.same(readdirSync(join(folder, 'elsewhere')), [])
    place.close()
    t.throws(() => new Place(join(root, 'outside'), byDescriptor), /folder/)
    t.throws(() => new Place(join(root, 'file'), byDescriptor), /folder/)
  })
}

t.test('descriptors are given back', async (t) => {
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  const archive = Buffer.concat([rawFile('a/b/c/d/e'), rawFile('a/x'), rawFile('f/g'), rawFile('a/b/c/h'), END])
  for (let i = 0; i < 20; i++) {
    await unpack(streamOf(archive), join(folder, `open ${i}`)).commit()
    await t.rejects(unpack(streamOf(archive.subarray(0, -1500)), join(folder, `cut ${i}`)).done)
    await t.rejects(unpack(streamOf(Buffer.concat([rawFile('a'), rawFile('a/x')])), join(folder, `bad ${i}`)).done)
  }
  t.equal(open(), before)
})

t.test('a race with somebody who exchanges folders for links', async (t) => {
  const target = join(folder, 'raced')
  const elsewhere = join(folder, 'race-outside')
  mkdirSync(elsewhere)
  const [stop, swaps] = [0, 1]
  const shared = new Int32Array(new SharedArrayBuffer(8))
  // Another thread: d becomes a link to what is outside, and nothing, and then the unpacker makes it again; as fast as it can.
  const racer = new Worker(
    `const { renameSync, symlinkSync, unlinkSync } = require('node:fs')
    const { d, outside, shared } = require('node:worker_threads').workerData
    for (let n = 0; Atomics.load(shared, 0) === 0; n++) {
      try { renameSync(d, d + n); symlinkSync(outside, d); Atomics.add(shared, 1, 1) } catch {}
      try { unlinkSync(d) } catch {}
    }`,
    { eval: true, workerData: { d: join(`${target}.part`, 'd'), outside: elsewhere, shared } },
  )
  const left = new Promise((resolve) => racer.once('exit', resolve))
  let refused = 0
  for (let round = 0; round < 20 || (round < 100 && shared[swaps]! < 200); round++) {
    // From one folder to another and back, so that d is opened anew for each file.
    const entries = Array.from({ length: 200 }, (_, i) => rawFile(`${i % 2 ? 'd' : 'e'}/${round} ${i}`))
    const unpacking = unpack(streamOf(Buffer.concat([...entries, END])), target, { resume: true })
    await unpacking.done.catch(() => refused++)
  }
  Atomics.store(shared, stop, 1)
  await left
  t.same(readdirSync(elsewhere), [], `nothing is outside after ${shared[swaps]} exchanges`)
  t.ok(shared[swaps]! > 10 && refused > 0, `links were met, ${refused} times`)
  t.ok(Object.keys(tree(`${target}.part`)).length > 10, 'and files made')
})
