/** What is sent: names, what cannot be sent, and files that change while they are read. */

import { execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { pack } from '../../../client/archive/pack.js'
import { survey } from '../../../client/archive/survey.js'
import { unpack } from '../../../client/archive/unpack.js'
import { nameOf, walk } from '../../../client/archive/walk.js'
import { PROJECT } from '../../support/program.js'
import { collected, plant, tree } from './tree.js'

const run = promisify(execFile)
const folder = t.testdir()

function names(...paths: string[]): string[] {
  return [...walk(paths, (sentence) => t.fail(sentence))].map(({ entry }) => entry.path)
}

t.test('names', async (t) => {
  const root = plant(join(folder, 'names'), { a: 'a', b: 'b', 'c/x': 'x', 'c/d/y': 'y' })
  const at = (path: string) => join(root, path)
  t.same(names(at('a'), at('b'), `${at('c')}/`), ['a', 'b', 'c', 'c/d', 'c/d/y', 'c/x'])
  t.same(names(at('a')), ['a'])
  t.same([nameOf(`${root}/.`), nameOf(`${root}/c/..`), nameOf(`${root}/c//`)], ['names', 'names', 'c'])
  t.same(
    [nameOf('/'), nameOf('.'), nameOf('..')],
    ['root', process.cwd().split('/').at(-1), process.cwd().split('/').at(-2)],
  )
  t.throws(() => names(at('a'), join(folder, 'a'), at('c/../a')), {
    message: /would have the same name in the archive as/,
  })
  t.throws(() => names(), { message: 'Nothing is named that could be sent.' })
  t.throws(() => names(at('missing')), { message: /missing" cannot be sent: it is not there\.$/ })
  symlinkSync('c', at('named link'))
  t.same(
    names(at('named link')),
    ['named link', 'named link/d', 'named link/d/y', 'named link/x'],
    'who names a link means what it points to',
  )
})

t.test('what is left out says so', async (t) => {
  const root = plant(join(folder, 'left out'), {
    good: 'good',
    absolute: '-> /etc/passwd',
    up: '-> ../names/a',
    'c/over': '-> ../../names/a',
    'c/within': '-> ../good',
    'c/dots': '-> x/../../good',
    'Icon\r': '',
  })
  await run('mkfifo', [join(root, 'pipe')])
  await run('mknod', [join(root, 'device'), 'c', '1', '3'])
  const server = createServer().listen(join(root, 'socket'))
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const left: string[] = []
  const unpacking = unpack(pack([root], { warn: (sentence) => left.push(sentence) }), join(folder, 'got'), {
    root: 'left out',
  })
  t.match(await unpacking.done, { files: 1, links: 1 })
  await unpacking.commit()
  t.same(Object.keys(tree(join(folder, 'got'))), ['c', 'c/within', 'good'])
  const reasons = left.map((sentence) => sentence.slice(sentence.indexOf('/left out/') + 10)).sort()
  t.match(reasons, [
    /^Icon\\u\{d\}" is left out: it is a picture of the Finder\.$/,
    /^absolute" is left out: it is a link to the absolute path "\/etc\/passwd", which leads out of the folder\.$/,
    /^c\/dots" is left out: it is a link to "x\/\.\.\/\.\.\/good", where "\.\." stands behind a name and may lead out\.$/,
    /^c\/over" is left out: it is a link to "\.\.\/\.\.\/names\/a", which leads out of the folder\.$/,
    /^device" is left out: it is a device\.$/,
    /^pipe" is left out: it is a named pipe\.$/,
    /^socket" is left out: it is a socket\.$/,
    /^up" is left out: it is a link to "\.\.\/names\/a", which leads out of the folder\.$/,
  ])
  t.equal(reasons.length, 8)
  const both = await collected(pack([root, join(folder, 'names')], { warn: () => {} }))
  t.ok(both.includes('../names/a'), 'between two folders that are sent together a link leads nowhere else')
  await t.rejects(survey([join(root, 'pipe')]), { message: /pipe" is a named pipe, which cannot be sent\.$/ })
})

t.test('names that the receiver would refuse are refused before anything is sent', async (t) => {
  const wrong: [string | Buffer, RegExp][] = [
    ['a\nb', /"[^\n]*a\\u\{a\}b" has a control character in its name, which no name may have here\. Rename it\.$/],
    ['C:', /C:" begins with a drive, which leads out of the folder\. Rename it\.$/],
    ['a\\..\\b', /leads out of the folder, with "\.\."\. Rename it\.$/],
    [Buffer.from([0x61, 0xff]), /has a name that is not UTF-8; rename it\.$/],
  ]
  for (const [name, message] of wrong) {
    const root = plant(join(folder, 'wrong names'), {})
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]), '')
    await t.rejects(survey([root]), { name: 'ArchiveError', message })
    await t.rejects(collected(pack([root])), { message })
    rmSync(root, { recursive: true })
  }
})

t.test('a file that becomes shorter ends the archive with an error, and no zeros', async (t) => {
  const size = 40_000_000
  const root = plant(join(folder, 'shorter'), { a: Buffer.alloc(size, 'a'), b: 'b' })
  let length = 0
  await t.rejects(
    (async () => {
      const progress = () => truncateSync(join(root, 'a'), 1000)
      for await (const piece of pack([root], { progress })) length += piece.length
    })(),
    { name: 'ArchiveError', message: /\/a" became shorter while it was sent: \d+ bytes instead of 40000000\.$/ },
  )
  t.ok(length < size)
  // A small one is read in the moment in which it is opened. This file says 4096 bytes and has fewer.
  await t.rejects(collected(pack(['/sys/devices/system/cpu/online'])), {
    message: /online" became shorter while it was sent: \d+ bytes instead of 4096\.$/,
  })
})

t.test('a file that grows is sent as long as it was', async (t) => {
  const root = plant(join(folder, 'grows'), { a: Buffer.alloc(5_000_000, 'a'), b: 'b' })
  const { length } = await survey([root])
  const stream = pack([root], {
    progress: ({ files }) => files === 0 && appendFileSync(join(root, 'a'), 'more'.repeat(1000)),
  })
  const unpacking = unpack(stream, join(folder, 'grown'))
  t.match(await unpacking.done, { files: 2, bytes: 5_000_001 })
  t.ok((await survey([root])).length > length)
})

t.test('what was found while it was counted is good for a moment', async (t) => {
  const root = plant(join(folder, 'counted'), { a: 'a', 'b/c': 'c' })
  let now = 1000
  t.intercept(performance, 'now', { value: () => now })
  const { found } = await survey([root])
  now += 4999
  t.same(
    found()?.map(({ entry }) => entry.path),
    ['counted', 'counted/a', 'counted/b', 'counted/b/c'],
  )
  now += 1
  t.equal(found(), undefined, 'who packs later looks again')
})

t.test('a file that vanishes', async (t) => {
  const root = plant(join(folder, 'vanishes'), { a: Buffer.alloc(5_000_000, 'a'), b: 'b', 'c/d': 'd', z: 'z' })
  const left: string[] = []
  let first = true
  const stream = pack([root], {
    warn: (sentence) => left.push(sentence),
    progress: () => {
      if (!first) return
      first = false
      for (const name of ['a', 'b']) unlinkSync(join(root, name))
      rmSync(join(root, 'c'), { recursive: true })
    },
  })
  const unpacking = unpack(stream, join(folder, 'vanished'))
  await unpacking.commit()
  t.same(Object.keys(tree(join(folder, 'vanished/vanishes'))), ['a', 'c', 'z'], 'one that is open is read to its end')
  t.match(left, [/\/b" is left out: it has vanished\.$/])
})

t.test('what was a file and is a pipe now is not waited for', async (t) => {
  const root = plant(join(folder, 'replaced'), { a: Buffer.alloc(500_000), b: 'b' })
  let replaced = false
  const stream = pack([root], {
    progress: () => {
      if (replaced) return
      replaced = true
      unlinkSync(join(root, 'b'))
      symlinkSync('/etc/passwd', join(root, 'b'))
    },
  })
  await t.rejects(collected(stream), { message: /\/b" cannot be read: a link is in its place\.$/ })
})

t.test('a file that may not be read is named before anything is sent', async (t) => {
  const root = plant(join(folder, 'unreadable'), { a: 'a', 'secret/x': 'x', z: 'z' })
  const program = (call: string) => `
    import { survey } from ${JSON.stringify(`${PROJECT}/dist/client/archive/survey.js`)}
    import { pack } from ${JSON.stringify(`${PROJECT}/dist/client/archive/pack.js`)}
    process.setgid(65534); process.setuid(65534)
    let bytes = 0
    try { ${call} } catch (error) { console.log(error.name + ': ' + error.message) }`
  const said = async (call: string) =>
    (await run(process.execPath, ['--input-type=module', '-e', program(call)])).stdout.trim()
  chmodSync(folder, 0o755)
  const [surveyed, packed] = [`await survey(['${root}'])`, `for await (const _ of pack(['${root}']));`]
  t.equal(await said(surveyed), '')
  for (const [path, mode, reason] of [
    ['z', 0o600, /z" cannot be read: permission denied\.$/],
    ['secret', 0o700, /secret" cannot be read: permission denied\.$/],
  ] as const) {
    chmodSync(join(root, path), mode)
    t.match(await said(surveyed), /^ArchiveError: /)
    t.match(await said(surveyed), reason)
    t.match(await said(packed), reason)
    chmodSync(join(root, path), 0o755)
  }
})

t.test('a survey of many files', async (t) => {
  const root = join(folder, 'many')
  for (let i = 0; i < 100; i++) {
    mkdirSync(join(root, `${i}`), { recursive: true })
    for (let j = 0; j < 100; j++) writeFileSync(join(root, `${i}/${j}`), '')
  }
  let turns = 0
  const timer = setInterval(() => turns++, 5)
  const skipped = await survey([root], { skip: ({ path }) => path.endsWith('7') })
  clearInterval(timer)
  t.match(skipped, { files: 9000, filesSkipped: 1000, folders: 101, bytes: 0 })
  t.ok(turns > 0, 'others had their turns')
})
