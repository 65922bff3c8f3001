/** What people send and receive with the program, between two folders and a real gateway. */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { curl } from '../../support/curl.js'
import { startDefaultGateway } from '../../support/gateway.js'
import { desks, tree } from './rig.js'

t.setTimeout(300_000)

const gateway = await startDefaultGateway(t)
const { origin } = gateway

t.test('a file keeps its name, time and permissions, and both sides say that it is verified', async (t) => {
  const { here, there, send, receive } = desks(t, origin)
  writeFileSync(join(here, 'Übersicht 1.bin'), Buffer.alloc(3_000_000, 'abcdefg'))
  chmodSync(join(here, 'Übersicht 1.bin'), 0o640)
  utimesSync(join(here, 'Übersicht 1.bin'), 1e9, 1_234_567_890.123)
  const sender = send('Übersicht 1.bin')
  await sender.says(/\S+\?receive/)
  const [, url] = /pipegate receive (\S+)/.exec(sender.text)!
  t.match(url, /\/[a-z]+-[a-z]+-[a-z]+-[a-z]+-\d{3}$/, 'four words and a number')
  t.match(sender.text, `${url}?receive`, 'the page')
  const received = await receive(url!).ends()
  t.equal(received.code, 0, received.text)
  t.match(received.text, /Übersicht 1\.bin {2}3\.0 MB in .*, verified\n$/)
  const sent = await sender.ends()
  t.equal(sent.code, 0)
  t.match(sent.text, /Übersicht 1\.bin {2}3\.0 MB in .*, verified\n$/)
  t.same(tree(there), tree(here))
})

t.test('a folder arrives as it is: links, empty folders, modes, times; and a receiver may come first', async (t) => {
  const { here, there, send, receive } = desks(t, origin)
  const photos = join(here, 'photos')
  mkdirSync(join(photos, 'empty'), { recursive: true })
  mkdirSync(join(photos, 'x'.repeat(200)))
  writeFileSync(join(photos, 'x'.repeat(200), 'a.txt'), 'a')
  writeFileSync(join(photos, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(photos, 'nothing'), '')
  symlinkSync('run.sh', join(photos, 'link'))
  utimesSync(join(photos, 'run.sh'), 1, 1_000_000_000.5)
  const receiver = receive('holiday')
  await gateway.holds(1, 0)
  const sent = await send('photos', '--name', 'holiday').ends()
  t.equal(sent.code, 0, sent.text)
  t.match(sent.text, /photos\/ {2}.*3 files in .*, verified\n$/)
  const received = await receiver.ends()
  t.equal(received.code, 0, received.text)
  t.same(tree(there), tree(here))
})

t.test('several paths, text, and what other programs write and read', async (t) => {
  const { here, there, send, receive } = desks(t, origin)
  writeFileSync(join(here, 'a'), 'A')
  mkdirSync(join(here, 'b'))
  writeFileSync(join(here, 'b', 'c'), 'C')
  const [sent, received] = await Promise.all([send('a', 'b', '--name', 'both').ends(), receive('both').ends()])
  t.same([sent.code, received.code], [0, 0], sent.text + received.text)
  t.same(tree(there), tree(here))

  const [, text] = await Promise.all([send('-t', 'see you at 8', '--name', 'note').ends(), receive('note').ends()])
  t.equal(text.stdout.toString(), 'see you at 8')

  const piped = send('--name', 'dump')
  piped.child.stdin.end('select 1;\n'.repeat(100_000))
  const dump = await receive('dump').ends()
  t.equal(dump.stdout.toString(), 'select 1;\n'.repeat(100_000))
  t.match(dump.stderr, /1\.0 MB in .*, verified\n$/)
  t.equal((await piped.ends()).code, 0)

  const [, file] = await Promise.all([send('a', '--name', 'out').ends(), receive('out', '-o', '-').ends()])
  t.equal(file.stdout.toString(), 'A')
})

t.test('curl on the other side', async (t) => {
  const { here, there, send, receive } = desks(t, origin)
  writeFileSync(join(here, 'notes.txt'), 'some notes')
  const got = curl(['-f', '-D', '-', gateway.url('notes')])
  t.equal((await send('notes.txt', '--name', 'notes').ends()).code, 0)
  t.match(
    (await got.result).stdout.toString(),
    /content-disposition: attachment; filename="?notes\.txt"?[\s\S]*some notes$/i,
  )

  curl(['-T', join(here, 'notes.txt'), gateway.url('from/curl.txt')])
  const received = await receive('from/curl.txt').ends()
  t.equal(received.code, 0, received.text)
  t.equal(readFileSync(join(there, 'curl.txt'), 'utf8'), 'some notes')

  mkdirSync(join(here, 'folder'))
  writeFileSync(join(here, 'folder', 'inside'), 'inside')
  const tar = curl(['-f', '-o', join(there, 'x.tar'), gateway.url('tar')])
  t.equal((await send('folder', '--name', 'tar').ends()).code, 0)
  await tar.result
  t.equal(execFileSync('tar', ['xOf', join(there, 'x.tar'), 'folder/inside']).toString(), 'inside')
})

t.test('by the proxy that the environment names', async (t) => {
  // A gateway takes the absolute addresses that a proxy gets.
  const { here, there, send, receive } = desks(t, 'http://localhost', { HTTP_PROXY: origin })
  mkdirSync(join(here, 'folder'))
  writeFileSync(join(here, 'folder', 'file'), Buffer.alloc(3_000_000, 'p'))
  const sender = send('folder', '--name', 'by-proxy')
  const received = await receive('by-proxy').ends()
  t.equal(received.code, 0, received.text)
  const sent = await sender.ends()
  t.equal(sent.code, 0, sent.text)
  t.same(tree(there), tree(here))
})

t.test('several receivers', async (t) => {
  const { here, there, send, receive } = desks(t, origin)
  writeFileSync(join(here, 'release.tar'), Buffer.alloc(500_000, 1))
  const receivers = [receive('release', '-n2', '-o', 'one'), receive('release', '-n', '2', '-o', 'two')]
  const sent = await send('release.tar', '-n2', '--name=release').ends()
  t.equal(sent.code, 0, sent.text)
  t.match(sent.text, /2 receivers, verified/)
  for (const receiver of receivers) t.equal((await receiver.ends()).code, 0)
  t.same(readFileSync(join(there, 'one')), readFileSync(join(there, 'two')))
})

t.test('a broadcast goes to standard output', async (t) => {
  const { send, receive } = desks(t, origin)
  const viewer = receive('log', '--live')
  await gateway.holds(1, 0)
  const sender = send('--live', '--name', 'log')
  sender.child.stdin.write('one\n')
  await viewer.says('one\n')
  sender.child.stdin.end('two\n')
  t.equal((await viewer.ends()).stdout.toString(), 'one\ntwo\n')
  t.equal((await sender.ends()).code, 0, sender.text)
})

t.test('what is there is not replaced unless it is said', async (t) => {
  const { here, there, send, receive } = desks(t, origin)
  writeFileSync(join(here, 'a.tar.gz'), 'new')
  writeFileSync(join(there, 'a.tar.gz'), 'old')
  for (const [args, names] of [
    [[], ['a.tar (1).gz', 'a.tar.gz']],
    [['--overwrite'], ['a.tar (1).gz', 'a.tar.gz']],
  ] as const) {
    const [sent, received] = await Promise.all([send('a.tar.gz', '--name', 'a').ends(), receive('a', ...args).ends()])
    t.same([sent.code, received.code], [0, 0], received.text)
    t.same(readdirSync(there).sort(), names)
  }
  t.equal(readFileSync(join(there, 'a.tar.gz'), 'utf8'), 'new')
})

t.test('a name that is made to harm stays inside', async (t) => {
  const { there, receive } = desks(t, origin)
  for (const [name, saved] of [
    ['../../evil', 'evil'],
    ['.bashrc', 'bashrc'],
    ['/etc/passwd', 'passwd'],
    ['a\\..\\b', 'b'],
    ['x'.repeat(400), 'x'.repeat(240)],
  ] as const) {
    const description = JSON.stringify({ kind: 'file', name, mode: 0o777 })
    curl(['-T', '/dev/null', '-H', `X-Piping: pipegate ${description}`, gateway.url('harm')])
    const received = await receive('harm').ends()
    t.equal(received.code, 0, received.text)
    t.same(readdirSync(there), [saved])
    execFileSync('rm', [join(there, saved)])
  }
})

t.test('for programs: one JSON object a line', async (t) => {
  const { here, send, receive } = desks(t, origin)
  writeFileSync(join(here, 'a'), 'A')
  const [sent, received] = await Promise.all([
    send('a', '--name', 'json', '--json').ends(),
    receive('json', '--json').ends(),
  ])
  const lines = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  const [ready, ...rest] = lines(sent.stdout.toString())
  t.match(ready, { event: 'ready', name: 'json', link: /json\?receive$/, command: /^pipegate receive / })
  t.match(rest.at(-1), { event: 'outcome', state: 'complete', exitCode: 0, bytes: 1 })
  t.match(lines(received.stderr).at(-1), { event: 'outcome', state: 'complete', path: 'a', bytes: 1 })
  t.equal(rest.at(-1).sha256, lines(received.stderr).at(-1).sha256)
})
