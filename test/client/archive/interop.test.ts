/** What is packed here, GNU tar, bsdtar, busybox and Python unpack, and what they pack is unpacked here: the same trees. */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pack } from '../../../client/archive/pack.js'
import { survey } from '../../../client/archive/survey.js'
import { unpack } from '../../../client/archive/unpack.js'
import { collected, plant, streamOf, tree } from './tree.js'

const LONG = `${'long/'.repeat(30)}${'n'.repeat(200)}`

/** All that an ordinary folder can have. */
function sample(folder: string): string {
  const root = plant(join(folder, 'sample'), {
    'a.txt': 'hello\n',
    empty: '',
    'empty folder': null,
    'deep/er/and/deeper/file': Buffer.alloc(513, 1),
    'one block': Buffer.alloc(512, 2),
    'many blocks': Buffer.alloc(300_001, 'many'),
    [LONG]: 'long name',
    [`${'x'.repeat(100)}`]: 'exactly 100',
    [`${'p'.repeat(90)}/${'q'.repeat(100)}`]: 'a prefix',
    'ünïcödé \u{1f600}': 'unicode',
    'é decomposed e\u0301': 'unicode',
    ' spaces ': 'spaces',
    '-rf': 'looks like a flag',
    'to a file': '-> a.txt',
    'to a folder': '-> deep/er',
    'deep/er/up': '-> ../../a.txt',
    'to nothing': '-> nowhere',
    'to unicode': '-> ünïcödé \u{1f600}',
    [`to ${'l'.repeat(50)}`]: `-> ${'x'.repeat(100)}`,
    'to a long name': `-> ${LONG}`,
    'x2d-\\x2d.swap': 'a backslash, as systemd has it',
  })
  chmodSync(join(root, 'a.txt'), 0o755)
  chmodSync(join(root, 'empty'), 0o400)
  const [before1970, after2242] = [new Date(-86_400_000), new Date('2300-01-01T00:00:00.250Z')]
  utimesSync(join(root, 'one block'), before1970, before1970)
  utimesSync(join(root, 'many blocks'), after2242, after2242)
  // Last, since each change of a folder gives it a new time.
  chmodSync(join(root, 'empty folder'), 0o700)
  return root
}

const folder = t.testdir()
const root = sample(folder)
const wanted = tree(folder, 'sample')

function unpackedBy(program: string, args: readonly string[], archive: Buffer): Record<string, string> {
  const into = join(folder, `by ${program} ${args.length}`)
  mkdirSync(into)
  execFileSync(program, args, { cwd: into, input: archive })
  return tree(into, 'sample')
}

/** Without what a program does not keep: milliseconds. */
function inSeconds(lines: Record<string, string>): Record<string, string> {
  const rounded = (line: string) => line.replace(/^((?:file|folder) \d+ -?\d+)\d{3}/, '$1')
  return Object.fromEntries(Object.entries(lines).map(([path, line]) => [path, rounded(line)]))
}

t.test('what is packed here', async (t) => {
  const archive = await collected(pack([root]))
  t.equal(archive.length, (await survey([root])).length, 'the length was known')
  t.same(unpackedBy('tar', ['-xpf', '-'], archive), wanted, 'GNU tar')
  // It composes characters, on its own.
  t.same(composed(unpackedBy('bsdtar', ['-xpf', '-'], archive)), composed(wanted), 'bsdtar')
  const python =
    "import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall(filter='fully_trusted')"
  t.same(unpackedBy('python3', ['-c', python], archive), wanted, 'Python')
  // It reads no times of PAX, and gives folders theirs before it fills them.
  const simple = (lines: Record<string, string>) => without(inSeconds(lines), [...UNUSUAL, ...foldersOf(lines)])
  t.same(simple(unpackedBy('busybox', ['tar', 'xpf', '-'], archive)), simple(wanted), 'busybox')
})

/** Files with times that only PAX can say: before 1970, and after 2242. */
const UNUSUAL = ['sample/one block', 'sample/many blocks']

/** @param paths whose times do not count */
function without(lines: Record<string, string>, paths: readonly string[]): Record<string, string> {
  return { ...lines, ...Object.fromEntries(paths.map((path) => [path, lines[path]?.split(' ')[0] ?? 'missing'])) }
}

function foldersOf(lines: Record<string, string>): string[] {
  return Object.keys(lines).filter((path) => lines[path]!.startsWith('folder'))
}

function composed(lines: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(lines).map(([path, line]) => [path.normalize('NFC'), line]))
}

t.test('what others pack', async (t) => {
  const packed: Record<string, [string, string[]]> = {
    'GNU tar': ['tar', ['-cf', '-', 'sample']],
    'GNU tar, PAX': ['tar', ['--format=pax', '-cf', '-', 'sample']],
    bsdtar: ['bsdtar', ['-cf', '-', 'sample']],
    'bsdtar, PAX': ['bsdtar', ['--format=pax', '-cf', '-', 'sample']],
    busybox: ['busybox', ['tar', 'cf', '-', 'sample']],
    Python: [
      'python3',
      ['-c', "import sys, tarfile; a = tarfile.open(fileobj=sys.stdout.buffer, mode='w|'); a.add('sample'); a.close()"],
    ],
    'Python, GNU': [
      'python3',
      [
        '-c',
        "import sys, tarfile; a = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.GNU_FORMAT); a.add('sample'); a.close()",
      ],
    ],
  }
  const sent = await survey([root])
  for (const [name, [program, args]] of Object.entries(packed)) {
    const archive = execFileSync(program, args, { cwd: folder, maxBuffer: 1 << 24 })
    for (const pieces of [1 << 16, 511]) {
      const target = join(folder, `from ${name} ${pieces}`)
      const unpacking = unpack(streamOf(archive, pieces), target)
      const { files, bytes } = await unpacking.done
      t.same([files, bytes], [sent.files, sent.bytes], `${name}: counted`)
      await unpacking.commit()
      const keepsMs = /PAX|Python$/.test(name)
      const [found, all] = [composed(tree(target, 'sample')), composed(wanted)]
      if (keepsMs) t.same(found, all, name)
      else t.same(without(inSeconds(found), UNUSUAL), without(inSeconds(all), UNUSUAL), `${name}, which keeps seconds`)
    }
  }
})

t.test('what is packed here is unpacked here', async (t) => {
  for (const pieces of [1, 511, 512, 1 << 20]) {
    const target = join(folder, `own ${pieces}`)
    const unpacking = unpack(streamOf(await collected(pack([root])), pieces), target, { root: 'sample' })
    await unpacking.done
    await unpacking.commit()
    t.same(tree(target), tree(root), `in pieces of ${pieces}`)
  }
})

t.test('hard links come as files, or as links of others', async (t) => {
  writeFileSync(join(folder, 'linked'), 'content')
  mkdirSync(join(folder, 'hard'))
  execFileSync('ln', [join(folder, 'linked'), join(folder, 'hard/a')])
  execFileSync('ln', [join(folder, 'linked'), join(folder, 'hard/b')])
  const wanted = tree(folder, 'hard')
  const own = unpack(pack([join(folder, 'hard')]), join(folder, 'own hard'))
  await own.commit()
  t.same(tree(join(folder, 'own hard'), 'hard'), wanted)
  const archive = execFileSync('tar', ['--format=pax', '-cf', '-', 'hard'], { cwd: folder })
  const theirs = unpack(streamOf(archive), join(folder, 'their hard'))
  await theirs.commit()
  t.same(tree(join(folder, 'their hard'), 'hard'), wanted)
  const inodes = execFileSync('stat', ['-c', '%i', 'a', 'b'], {
    cwd: join(folder, 'their hard/hard'),
    encoding: 'utf8',
  })
  t.equal(new Set(inodes.trim().split('\n')).size, 1, 'they are one file')
})
