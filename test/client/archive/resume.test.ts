/** Part folders: what is left of a transfer that was cut off, going on with it, and putting it into its place. */

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import type { FileSummary } from '../../../client/archive/entry.js'
import { list } from '../../../client/archive/list.js'
import { pack } from '../../../client/archive/pack.js'
import { survey } from '../../../client/archive/survey.js'
import { unpack } from '../../../client/archive/unpack.js'
import { eventually } from '../../support/eventually.js'
import { inReusedMemory } from '../../support/reused-memory.js'
import { END, rawFile, rawHeader, rawLink } from './raw-tar.js'
import { collected, plant, streamOf, tree } from './tree.js'

const folder = t.testdir()
const source = plant(join(folder, 'photos'), {
  'a.jpg': Buffer.alloc(30_000, 'a'),
  'b.jpg': Buffer.alloc(700_000, 'b'),
  'c/c.jpg': Buffer.alloc(30_000, 'c'),
  'c/link': '-> ../a.jpg',
  'd.jpg': Buffer.alloc(40_000, 'd'),
  e: null,
})
chmodSync(join(source, 'c'), 0o555)
const archive = await collected(pack([source]))
const sent = tree(source)

const isNewer = (files: readonly FileSummary[]) => {
  const known = new Map(files.map(({ path, size, mtimeMs }) => [path, `${size} ${mtimeMs}`]))
  return ({ path, size, mtimeMs }: FileSummary) => known.get(path) === `${size} ${mtimeMs}`
}

t.test('from a stream that uses its memory again', async (t) => {
  for (const size of [100, 511, 5000, 100_000, 300_000]) {
    const target = join(folder, `again-${size}`)
    await unpack(inReusedMemory(archive, size), target, { root: 'photos' }).commit()
    t.same(tree(target), sent, `in pieces of ${size} bytes`)
  }
})

t.test('cut off at any place and resumed, it is whole, and nothing comes twice', async (t) => {
  for (const end of [600, 20_000, 40_000, 300_000, 733_000, 770_000, archive.length - 1500, archive.length - 1]) {
    const target = join(folder, `cut at ${end}`)
    const first = unpack(streamOf(archive.subarray(0, end)), target, { root: 'photos' })
    await t.rejects(first.done, { message: /cut off/ })
    t.notOk(existsSync(target), 'nothing looks whole')
    const there = list(target, 'photos')
    for (const { path, size } of there)
      t.equal(size, lstatSync(join(folder, path)).size, `${path} is listed, and whole`)
    t.same(
      readdirSync(`${target}.part`).filter((name) => name.startsWith('.pipegate')),
      [],
    )
    const options = { skip: isNewer(there) }
    const { files, filesSkipped, length } = await survey([source], options)
    t.same([files + filesSkipped, filesSkipped], [4, there.length])
    const rest = await collected(pack([source], options))
    t.equal(rest.length, length)
    const second = unpack(streamOf(rest), target, { root: 'photos', resume: true })
    t.equal((await second.done).files, 4 - there.length)
    await second.commit()
    t.same(tree(target), sent)
    t.notOk(existsSync(`${target}.part`))
  }
})

t.test('a sender that cannot skip sends all, and what is there is not written again', async (t) => {
  const target = join(folder, 'all again')
  await t.rejects(unpack(streamOf(archive.subarray(0, 750_000)), target).done)
  const inode = lstatSync(join(`${target}.part`, 'photos/b.jpg')).ino
  const again = unpack(streamOf(archive), target, { resume: true })
  t.match(await again.done, { files: 4, filesKept: 2, bytes: 800_000 })
  await again.commit()
  t.same(tree(target, 'photos'), tree(folder, 'photos'))
  t.equal(lstatSync(join(target, 'photos/b.jpg')).ino, inode)
})

t.test('a file that changed since is taken anew', async (t) => {
  const target = join(folder, 'changed')
  await t.rejects(
    unpack(streamOf(Buffer.concat([rawFile('a', 'old'), rawFile('b', 'old'), rawLink('l', 'a')])), target).done,
  )
  const now = Buffer.concat([
    rawFile('a', 'new', { mtime: 1_600_000_001 }),
    rawFile('b', 'longer'),
    rawLink('l', 'b'),
    END,
  ])
  const again = unpack(streamOf(now), target, { resume: true })
  t.match(await again.done, { files: 2, filesKept: 0 })
  await again.commit()
  t.same([readFileSync(join(target, 'a'), 'utf8'), readFileSync(join(target, 'l'), 'utf8')], ['new', 'longer'])
})

t.test('a part folder that is there is not touched unless it is resumed', async (t) => {
  const target = join(folder, 'left')
  mkdirSync(`${target}.part`)
  writeFileSync(join(`${target}.part`, 'x'), '')
  const stream = streamOf(archive)
  await t.rejects(unpack(stream, target).done, { message: /left\.part" is there: .* --resume/ })
  t.ok(stream.destroyed, 'the stream does not wait for ever')
  t.same(readdirSync(`${target}.part`), ['x'])
  symlinkSync('photos', join(folder, 'linked.part'))
  await t.rejects(unpack(streamOf(archive), join(folder, 'linked'), { resume: true }).done, { message: /is no folder/ })
  t.same(tree(source), sent)
})

t.test('abort leaves the part folder, and no half file', async (t) => {
  const target = join(folder, 'aborted')
  const stream = new PassThrough()
  const unpacking = unpack(stream, target)
  stream.write(archive.subarray(0, 400_000))
  await eventually(
    () => readdirSync(join(`${target}.part`)).some((name) => name.startsWith('.pipegate')) || 'nothing is written',
  )
  await unpacking.abort()
  await t.rejects(unpacking.done, { message: 'The unpacking was given up.' })
  t.same(
    list(target).map(({ path }) => path),
    ['photos/a.jpg'],
  )
  t.same(readdirSync(`${target}.part`), ['photos'])
  await unpacking.abort()
})

t.test('the error of the stream is the error, as it is', async (t) => {
  const stream = new PassThrough()
  const unpacking = unpack(stream, join(folder, 'broken'))
  stream.write(archive.subarray(0, 10_000))
  const error = new Error('the server went away')
  stream.destroy(error)
  await t.rejects(unpacking.done, error)
})

const three = Buffer.concat([rawFile('new/a'), rawFile('old/b', 'theirs'), rawFile('c', 'theirs'), END])

t.test('into a folder that is there', async (t) => {
  const mine = () => {
    const target = plant(join(folder, `mine ${readdirSync(folder).length}`), { 'old/b': 'mine', c: 'mine', d: 'mine' })
    chmodSync(join(target, 'old'), 0o750)
    return target
  }
  const texts = (target: string) =>
    ['new/a', 'old/b', 'c', 'd'].map((path) =>
      existsSync(join(target, path)) ? readFileSync(join(target, path), 'utf8') : '',
    )

  const refusing = mine()
  await t.rejects(unpack(streamOf(three), refusing).done, {
    message: '"old/b" is there already, and nothing is to be overwritten.',
  })
  t.same(texts(refusing), ['', 'mine', 'mine', 'mine'])
  t.same(
    list(refusing).map(({ path }) => path),
    ['new/a'],
    'what came lies in the folder, in a part folder',
  )

  const replacing = mine()
  await unpack(streamOf(three), replacing, { overwrite: true }).commit()
  t.same(texts(replacing), ['content', 'theirs', 'theirs', 'mine'])
  t.equal(lstatSync(join(replacing, 'old')).mode & 0o777, 0o750, 'a folder that was there stays as it was')
  t.equal(lstatSync(join(replacing, 'new')).mode & 0o777, 0o777 & ~process.umask())
  t.notOk(readdirSync(replacing).some((name) => name.includes('part')))

  const asking = mine()
  const asked: string[] = []
  const overwrite = async (path: string) => asked.push(path) > 0 && path === 'c'
  await unpack(streamOf(three), asking, { overwrite }).commit()
  t.same(asked.sort(), ['c', 'old/b'])
  t.same(texts(asking), ['content', 'mine', 'theirs', 'mine'])
  t.notOk(readdirSync(asking).some((name) => name.includes('part')))

  const late = mine()
  const unpacking = unpack(streamOf(Buffer.concat([rawFile('x'), rawFile('y'), END])), late)
  await unpacking.done
  writeFileSync(join(late, 'y'), 'mine')
  await t.rejects(unpacking.commit(), { message: '"y" is there already, and nothing is to be overwritten.' })
  t.notOk(existsSync(join(late, 'x')), 'nothing was moved')
})

t.test('what is there is of another kind, or a way out', async (t) => {
  const target = plant(join(folder, 'kinds'), { file: 'mine', 'folder/x': 'mine', link: '-> ../photos' })
  const wrong: [Buffer, string][] = [
    [rawFile('file/x'), '"file" is a folder, and there is already a file of that name.'],
    [rawFile('folder'), '"folder" would take the place of a folder that is there.'],
    [rawFile('link/a.jpg'), '"link" is a folder, and there is already a link of that name.'],
    [rawHeader({ name: 'link', type: '5' }), '"link" is a folder, and there is already a link of that name.'],
  ]
  for (const [entries, message] of wrong) {
    const unpacking = unpack(streamOf(Buffer.concat([entries, END])), target, { overwrite: true, resume: true })
    await t.rejects(unpacking.commit(), { message })
    await unpacking.abort()
    const part = join(target, '.pipegate.part')
    rmSync(part, { recursive: true })
  }
  t.same(tree(source), sent, 'nothing was written through the link')
  for (const file of ['file', 'folder/x']) t.equal(readFileSync(join(target, file), 'utf8'), 'mine')
  await t.rejects(unpack(streamOf(three), join(target, 'file')).done, { message: /is there already, and is no folder/ })
  symlinkSync('nowhere', join(folder, 'dangling'))
  await t.rejects(unpack(streamOf(three), join(folder, 'dangling')).done, { message: /leads nowhere/ })
})

t.test('the folder that the sender named, and nothing beside it', async (t) => {
  const unpacking = unpack(
    streamOf(Buffer.concat([rawFile('photos/a'), rawFile('photographs/b'), END])),
    join(folder, 'root'),
    { root: 'photos' },
  )
  await t.rejects(unpacking.done, { message: /"photographs\/b" does not lie in "photos"/ })
})

t.test('progress', async (t) => {
  const seen: number[] = []
  const unpacking = unpack(streamOf(archive), join(folder, 'progress'), { progress: ({ bytes }) => seen.push(bytes) })
  const { bytes } = await unpacking.done
  t.equal(seen.at(-1), bytes)
  t.same(
    seen,
    [...seen].sort((a, b) => a - b),
    'it never goes back',
  )
  t.ok(seen.length > 10, 'a large file tells more than once')
  const packed: number[] = []
  await collected(pack([source], { progress: ({ bytes }) => packed.push(bytes) }))
  t.equal(packed.at(-1), bytes)
})
