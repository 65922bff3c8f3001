/** Archives that somebody made to do harm, or that are damaged: one error that names the entry, and nothing beside the part folder. */

import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { unpack } from '../../../client/archive/unpack.js'
import { END, padded, type RawHeader, rawFile, rawHeader, rawLink, rawMeta, rawPax } from './raw-tar.js'
import { streamOf, tree } from './tree.js'

const folder = t.testdir()
let count = 0

/** Unpacks into a folder of its own. @returns the error, and what there is then in the part folder */
async function attempt(archive: Buffer, pieces = 1 << 16): Promise<{ error: string; part: Record<string, string> }> {
  const around = join(folder, `case ${count++}`)
  mkdirSync(around)
  const unpacking = unpack(streamOf(archive, pieces), join(around, 'target'))
  const error = await unpacking.done.then(
    () => '',
    (error: Error) => `${error.name}: ${error.message}`,
  )
  const names = readdirSync(around)
  if (names.join() !== 'target.part') throw new Error(`beside the part folder there is ${names}`)
  if (error !== '') await t.rejects(unpacking.commit(), 'a refused archive cannot be committed')
  return { error, part: tree(join(around, 'target.part')) }
}

type Case = readonly [what: string, archive: Buffer, error: RegExp]

async function refused(cases: readonly Case[]): Promise<void> {
  for (const [what, entries, error] of cases) {
    for (const pieces of [1 << 16, 100]) {
      const archive = Buffer.concat([rawFile('first'), entries, rawFile('after'), END])
      const { error: said, part } = await attempt(archive, pieces)
      t.match(said, error, what)
      t.match(said, /^ArchiveError: /, `${what}: has a sentence`)
      t.notMatch(said, /[\x00-\x1f\x7f-\x9f]/, `${what}: is fit for a terminal`)
      t.notOk('after' in part, `${what}: ends it`)
      const left = Object.keys(part).filter((name) => name.startsWith('.pipegate'))
      t.same(left, [], `${what}: nothing half is left`)
    }
  }
}

const pax = (records: Record<string, string>, more: RawHeader = {}) =>
  Buffer.concat([rawPax(records), rawFile('short', 'content', more)])

t.test('names that lead out', async () => {
  await refused([
    ['up', rawFile('../evil'), /"\.\.\/evil" leads out of the folder/],
    ['up, inside', rawFile('a/../../evil'), /leads out/],
    ['up and back', rawFile('a/../b'), /leads out/],
    ['only up', rawHeader({ name: '..', type: '5' }), /leads out/],
    ['absolute', rawFile('/tmp/evil'), /absolute path/],
    ['absolute, twice', rawFile('//tmp/evil'), /absolute path/],
    ['a drive', rawFile('C:/evil'), /begins with a drive/],
    ['a drive, relative', rawFile('c:\\evil'), /begins with a drive/],
    ['backslashes up', rawFile('a\\..\\..\\evil'), /leads out/],
    ['a share', rawFile('\\\\host\\share'), /absolute path/],
    ['by PAX', pax({ path: '../evil' }), /leads out/],
    ['by GNU', Buffer.concat([rawMeta('../evil\0', 'L'), rawFile('short')]), /leads out/],
    ['by the prefix', rawFile('evil', 'x', { prefix: '..' }), /"\.\.\/evil" leads out/],
    ['by the prefix, absolute', rawFile('evil', 'x', { prefix: '/etc' }), /absolute path/],
  ])
})

t.test('names that are none', async () => {
  const long = 'n'.repeat(4096)
  await refused([
    ['empty', rawFile(''), /an entry without a name/],
    ['only a dot', rawFile('.'), /is the folder itself, and yet no folder/],
    ['only dots and slashes', rawFile('././/.', 'x', { type: '0' }), /is the folder itself/],
    ['NUL', pax({ path: 'a\0b' }), /control character/],
    ['a line break', pax({ path: 'a\nb' }), /"a\\u\{a\}b" has a control character/],
    ['an escape', rawFile('\x1b[2J'), /"\\u\{1b\}\[2J" has a control character/],
    ['a C1 control', rawFile('\u009b2J'), /control character/],
    ['4096 bytes', pax({ path: long }), /more than 4095 bytes/],
    ['4096 bytes by GNU', Buffer.concat([rawMeta(`${long}\0`, 'L'), rawFile('short')]), /more than 4095 bytes/],
    ['a step of 300 bytes', pax({ path: `a/${'n'.repeat(300)}` }), /the name is too long for this disk/],
    ['no UTF-8', rawFile(Buffer.from([0x61, 0xff, 0x62])), /not UTF-8/],
    ['no UTF-8, by GNU', Buffer.concat([rawMeta(Buffer.from([0xc3, 0x28, 0]), 'L'), rawFile('s')]), /not UTF-8/],
    ['our own', rawFile('.pipegate-incoming-0'), /pipegate itself uses/],
    ['our own folder', rawFile('.pipegate.part/x'), /pipegate itself uses/],
  ])
})

t.test('links that lead out, also in two steps', async () => {
  await refused([
    ['absolute', rawLink('l', '/etc/passwd'), /"l" is a link to the absolute path "\/etc\/passwd"/],
    ['up', rawLink('l', '..'), /"l" is a link to "\.\.", which leads out/],
    ['up from below', rawLink('a/b/l', '../../../x'), /leads out/],
    ['a drive', rawLink('l', 'C:\\x'), /absolute path/],
    ['backslashes', rawLink('l', '..\\x'), /leads out/],
    ['to nothing', rawLink('l', ''), /points to nothing/],
    ['to a control character', rawLink('l', 'a\x1bb'), /control character/],
    ['by PAX', Buffer.concat([rawPax({ linkpath: '../x' }), rawLink('l', 'short')]), /leads out/],
    ['by GNU', Buffer.concat([rawMeta('../x\0', 'K'), rawLink('l', 'short')]), /leads out/],
    // a/b/up is the folder itself, which is inside; what is one above it is not.
    [
      'by a link inside',
      Buffer.concat([rawLink('a/b/up', '../..'), rawLink('l', 'a/b/up/..')]),
      /"\.\." stands behind a name/,
    ],
    [
      'a file through a link',
      Buffer.concat([rawLink('d', '.'), rawFile('d/x')]),
      /"d\/x" lies below what is no folder/,
    ],
    [
      'a folder through a link',
      Buffer.concat([rawLink('d', 'e'), rawHeader({ name: 'd/x/', type: '5' })]),
      /lies below what is no folder/,
    ],
    ['a folder for a link', Buffer.concat([rawLink('d', '.'), rawHeader({ name: 'd/', type: '5' })]), /twice/],
    [
      'a link for a folder',
      Buffer.concat([rawFile('d/x'), rawLink('d', '.')]),
      /"d" cannot be written: it exists already/,
    ],
    ['a link for a link', Buffer.concat([rawLink('d', 'a'), rawLink('d', 'b')]), /twice/],
    ['a file for a link', Buffer.concat([rawLink('d', 'first'), rawFile('d')]), /twice/],
    ['hard, up', rawLink('h', '../first', '1'), /leads out/],
    ['hard, absolute', rawLink('h', '/etc/passwd', '1'), /absolute path/],
    ['hard, to nothing', rawLink('h', 'nothing', '1'), /did not come before/],
    [
      'hard, to a folder',
      Buffer.concat([rawHeader({ name: 'd', type: '5' }), rawLink('h', 'd', '1')]),
      /did not come before/,
    ],
    ['hard, to a link', Buffer.concat([rawLink('s', 'first'), rawLink('h', 's', '1')]), /hard link to what is no file/],
    ['hard, through a link', Buffer.concat([rawLink('s', '.'), rawLink('h', 's/first', '1')]), /did not come before/],
    ['hard, to itself', rawLink('h', 'h', '1'), /did not come before/],
    [
      'with a content',
      Buffer.concat([rawHeader({ name: 'l', link: 'a', type: '2', size: 5 }), padded('hello')]),
      /a link with a content/,
    ],
  ])
})

t.test('what is no file', async () => {
  await refused([
    ['a device', rawHeader({ name: 'd', type: '3' }), /character device/],
    ['a block device', rawHeader({ name: 'd', type: '4' }), /block device/],
    ['a pipe', rawHeader({ name: 'p', type: '6' }), /named pipe/],
    ['another volume', rawHeader({ name: 'p', type: 'M' }), /another volume/],
    ['an unknown type', rawHeader({ name: 'p', type: '\x07' }), /not known here, "\\u\{7\}"/],
    ['sparse, GNU', rawFile('s', 'x', { type: 'S' }), /sparse file/],
    ['sparse, PAX 0.1', pax({ 'GNU.sparse.map': '0,1', 'GNU.sparse.size': '100' }), /sparse file/],
    ['sparse, star', pax({ 'SCHILY.realsize': '100' }), /sparse file/],
  ])
})

t.test('the same name twice', async () => {
  await refused([
    ['a file', Buffer.concat([rawFile('a'), rawFile('a', 'other')]), /"a" is in the archive twice/],
    ['otherwise written', Buffer.concat([rawFile('a/b'), rawFile('./a//b', 'other')]), /twice/],
    ['a file for a folder', Buffer.concat([rawFile('d/x'), rawFile('d')]), /"d" cannot be written: a folder is where/],
    ['a file for a folder that was named', Buffer.concat([rawHeader({ name: 'd', type: '5' }), rawFile('d')]), /twice/],
    ['a folder for a file', Buffer.concat([rawFile('d'), rawFile('d/x')]), /"d\/x" lies below what is no folder/],
    ['a folder for a file, named', Buffer.concat([rawFile('d'), rawHeader({ name: 'd/', type: '5' })]), /twice/],
  ])
})

t.test('numbers', async () => {
  const base256 = (first: number, ...rest: number[]) =>
    Buffer.from([first, ...Array(11 - rest.length).fill(first === 0x80 ? 0 : 0xff), ...rest])
  await refused([
    ['a negative size', rawHeader({ size: base256(0xff, 0xfe) }), /no number, or is negative/],
    ['a negative size, octal', rawHeader({ size: '-0000000012\0' }), /no number, or is negative/],
    ['a negative size, PAX', pax({ size: '-1' }), /extended header cannot be read/],
    ['a size of 2^88', rawHeader({ size: Buffer.from([0x81, ...Array(11).fill(0)]) }), /no number, or is negative/],
    ['a size of letters', rawHeader({ size: '12abc' }), /no number/],
    ['a size of letters, PAX', pax({ size: '0x10' }), /extended header cannot be read/],
    ['a size beyond all numbers, PAX', pax({ size: '99999999999999999999' }), /extended header cannot be read/],
    ['a size that does not come', rawHeader({ size: 2 ** 32 }), /cut off/],
    ['a time beyond all', pax({ mtime: '99999999999999' }), /year 9999/],
    ['a wrong checksum', rawHeader({ wrongBy: 1 }), /checksum/],
    ['no header', Buffer.alloc(512, 'x'), /checksum/],
  ])
})

t.test('extended headers', async () => {
  const record = (text: string) => Buffer.concat([rawMeta(text, 'x'), rawFile('short')])
  await refused([
    ['of 1 GB', rawHeader({ name: 'p', type: 'x', size: 1e9 }), /extended header of 1000000000 bytes/],
    ['a name of 1 GB', rawHeader({ name: 'p', type: 'L', size: 1e9 }), /extended header of 1000000000 bytes/],
    [
      'of 2^60 bytes',
      rawHeader({ name: 'p', type: 'g', size: Buffer.from([0x80, 0, 0, 0, 0x10, ...Array(7).fill(0)]) }),
      /does not say its size|extended header of/,
    ],
    ['a length that is too short', record('9 path=evil\n'), /cannot be read/],
    ['a length that is too long', record('99 path=evil\n'), /cannot be read/],
    ['no length', record('path=evil\n'), /cannot be read/],
    ['a negative length', record('-12 path=evil\n'), /cannot be read/],
    ['no key', record('9 =evilx\n'), /cannot be read/],
    ['no equals sign', record('12 pathevil\n\n'), /cannot be read/],
    ['no line break', record('12 path=evil'), /cannot be read/],
    ['a name for all', Buffer.concat([rawPax({ path: 'a' }, 'g'), rawFile('b')]), /for all files that follow/],
    ['a size for all', Buffer.concat([rawPax({ size: '9' }, 'g'), rawFile('b')]), /for all files that follow/],
  ])
})

t.test('ends', async (t) => {
  const whole = Buffer.concat([rawFile('a', 'x'.repeat(2000)), rawFile('b/c'), END])
  t.same(Object.keys((await attempt(whole)).part), ['a', 'b', 'b/c'])
  for (let end = 0; end < whole.length; end += end < 600 ? 37 : 256) {
    const { error, part } = await attempt(whole.subarray(0, end))
    t.match(error, end < 512 ? /no tar archive/ : /cut off/, `${end} bytes`)
    t.ok(!('a' in part) || part.a!.includes(' 2000 '), 'a file with its name is whole')
  }
  t.match((await attempt(Buffer.concat([whole, padded('more')]))).error, /goes on behind its end/)
  t.match((await attempt(Buffer.concat([whole, rawFile('c'), END]))).error, /goes on behind its end/)
  t.equal((await attempt(Buffer.concat([whole, Buffer.alloc(100_003)]))).error, '', 'zeros are what tar writes')
  t.match((await attempt(Buffer.concat([whole, Buffer.alloc(17 << 20)]))).error, /zeros behind its end/)
  t.equal((await attempt(END)).error, '', 'an archive of nothing')
  t.match((await attempt(Buffer.from('\x1f\x8b\x08 compressed'.padEnd(600)))).error, /no tar archive/)
})

t.test('limits', async (t) => {
  const archive = Buffer.concat([rawFile('a', 'x'.repeat(600)), rawFile('b', 'x'.repeat(401)), END])
  const within = unpack(streamOf(archive), join(folder, 'within'), { maxBytes: 1001, maxEntries: 2 })
  t.match(await within.done, { files: 2, bytes: 1001 })
  const bytes = unpack(streamOf(archive), join(folder, 'bytes'), { maxBytes: 1000 })
  await t.rejects(bytes.done, { message: '"b" is too much: the limit is 1000 bytes in all.' })
  t.notOk(existsSync(join(folder, 'bytes.part/b')), 'before anything of it was written')
  const entries = unpack(streamOf(archive), join(folder, 'entries'), { maxEntries: 1 })
  await t.rejects(entries.done, { message: '"b" is one too many: the limit is 1 entries.' })
})

t.test('bits that make a program run as somebody else are dropped', async (t) => {
  const { error, part } = await attempt(
    Buffer.concat([
      rawFile('s', 'x', { mode: '0007755\0' }),
      rawHeader({ name: 'd', type: '5', mode: '0007777\0' }),
      END,
    ]),
  )
  t.equal(error, '')
  t.match(part.s, /^file 755 /)
  const unpacking = unpack(
    streamOf(Buffer.concat([rawHeader({ name: 'd', type: '5', mode: '0007777\0' }), END])),
    join(folder, 'bits'),
  )
  await unpacking.commit()
  t.equal(lstatSync(join(folder, 'bits/d')).mode & 0o7777, 0o777 & ~process.umask())
})

t.test('archives by Python, as they are told of', async (t) => {
  const make = (lines: string) =>
    execFileSync('python3', [
      '-c',
      `import io, sys, tarfile\na = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')\ndef add(name, **more):\n  i = tarfile.TarInfo(name)\n  for k in more: setattr(i, k, more[k])\n  a.addfile(i, io.BytesIO(b'x' * i.size))\n${lines}\na.close()`,
    ])
  const said = async (lines: string) => (await attempt(make(lines))).error
  t.match(await said("add('../../etc/cron.d/evil', size=3)"), /leads out/)
  t.match(await said("add('d', type=tarfile.SYMTYPE, linkname='/etc')\nadd('d/evil', size=3)"), /absolute path/)
  t.match(await said("add('p', type=tarfile.FIFOTYPE)"), /named pipe/)
  t.match(await said("add('h', type=tarfile.LNKTYPE, linkname='/etc/passwd')"), /absolute path/)
  t.match(await said("add('x' * 5000, size=3)"), /more than 4095 bytes/)
  t.match(await said("add('a\\nb', size=3)"), /control character/)
})

t.test('sparse files of GNU tar, in each of its formats', async (t) => {
  const file = join(folder, 'sparse')
  execFileSync('truncate', ['-s', '1M', file])
  execFileSync('dd', ['if=/dev/urandom', `of=${file}`, 'bs=4096', 'count=1', 'seek=100', 'conv=notrunc', 'status=none'])
  for (const format of ['gnu', 'pax --sparse-version=0.0', 'pax --sparse-version=0.1', 'pax --sparse-version=1.0']) {
    const archive = execFileSync('tar', ['-S', ...`--format=${format}`.split(' '), '-cf', '-', 'sparse'], {
      cwd: folder,
    })
    t.match((await attempt(archive)).error, /sparse file/, format)
  }
  const archive = execFileSync('tar', ['-cf', '-', 'sparse'], { cwd: folder, maxBuffer: 1 << 23 })
  const { part } = await attempt(archive)
  t.equal(
    part.sparse,
    tree(folder).sparse?.replace(/ \d+ 1048576/, (time) => `${time.slice(0, -11)}000 1048576`),
  )
  t.equal(readFileSync(file).length, 1 << 20)
})
