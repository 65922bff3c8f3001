/** `--encrypt`: what the gateway passes on is of age, and only who has the words or the key can read it. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { startDefaultGateway } from '../../support/gateway.js'
import { desks, tree } from './rig.js'

t.setTimeout(300_000)

const gateway = await startDefaultGateway(t)

t.test('by words: neither name nor content is seen on the way', async (t) => {
  const { here, there, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'plans for tomorrow.txt'), 'attack at dawn '.repeat(1000))
  const sender = send('--encrypt', 'plans for tomorrow.txt')
  await sender.says(/pipegate receive .*\n/)
  const [, url = '', name = '', words = ''] =
    /pipegate receive '(http:\/\/\S+\/([a-z]+-[a-z]+-\d{3})#([a-z-]+))'/.exec(sender.text) ?? []
  t.equal(words.split('-').length, 6, 'six words')
  t.match(sender.text, /^Sending plans for tomorrow\.txt {2}/m, 'a file, and no folder')
  t.notMatch(sender.text, /\?receive/, 'a browser cannot decrypt it')
  const { stdout } = await curlDone([gateway.url(`${name}?status`)])
  t.match(stdout.toString(), '"hasSender":true')
  t.notMatch(stdout.toString(), /plans/)
  const received = await receive(url).ends()
  t.equal(received.code, 0, received.text)
  t.match(received.text, /verified/)
  t.equal((await sender.ends()).code, 0)
  t.same(tree(there), tree(here))
})

t.test('spoken: name and words in one, in any case and with blanks', async (t) => {
  const { here, there, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'a'), 'A')
  const sender = send('--encrypt', 'a', '--json')
  await sender.says('"ready"')
  const { command } = JSON.parse(sender.text.split('\n')[0]!)
  const [, name = '', words = ''] = /\/([a-z]+-[a-z]+-\d{3})#([a-z-]+)/.exec(command) ?? []
  const spoken = `${name}-${words}`.replaceAll('-', ' ').toUpperCase()
  const received = await receive(spoken).ends()
  t.equal(received.code, 0, received.text)
  t.equal(readFileSync(join(there, 'a'), 'utf8'), 'A')
  t.equal((await sender.ends()).code, 0)
})

t.test('age itself reads it, and writes it: by key and by passphrase', async (t) => {
  const { here, there, send, receive } = desks(t, gateway.origin)
  execFileSync('age-keygen', ['-o', join(there, 'key')], { stdio: 'pipe' })
  const recipient = execFileSync('age-keygen', ['-y', join(there, 'key')])
    .toString()
    .trim()
  mkdirSync(join(here, 'd'))
  writeFileSync(join(here, 'd', 'f'), 'inside')
  const got = curl(['-f', gateway.url('by-age')])
  t.equal((await send('d', '-r', recipient, '--name', 'by-age').ends()).code, 0)
  const cipher = (await got.result).stdout
  t.match(cipher.subarray(0, 21).toString(), 'age-encryption.org/v1')
  writeFileSync(join(there, 'cipher'), cipher)
  const plain = execFileSync('age', ['-d', '-i', join(there, 'key'), join(there, 'cipher')])
  t.equal(execFileSync('tar', ['xO', 'd/f'], { input: plain }).toString(), 'inside')

  const [sent, received] = await Promise.all([
    send('d', '-r', recipient, '--name', 'by-key').ends(),
    receive('by-key', '-i', join(there, 'key')).ends(),
  ])
  t.same([sent.code, received.code], [0, 0], sent.text + received.text)
  t.equal(readFileSync(join(there, 'd', 'f'), 'utf8'), 'inside')

  const secret = join(here, 'secret')
  writeFileSync(secret, 'Correct Horse\n')
  const text = await Promise.all([
    send('-t', 'hush', '--passphrase-file', secret, '--name', 'hush').ends(),
    receive('hush', '--passphrase-file', secret).ends(),
  ])
  t.equal(text[1].stdout.toString(), 'hush')
})

t.test('without the words, with wrong ones, and what is not encrypted though it should be', async (t) => {
  const { here, there, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'a'), 'A')
  for (const [word, line] of [
    ['x', /It is encrypted: say the words behind the name too/],
    ['x#wrong-words-here-and-more-now', /passphrase/i],
  ] as const) {
    const sender = send('a', '--encrypt', '--name', 'x')
    const exit = await receive(word).ends()
    t.equal(exit.code, 1, exit.text)
    t.match(exit.text, line)
    t.same(
      readdirSync(there).filter((name) => !name.endsWith('.part')),
      [],
    )
    await sender.ends()
  }
  const sender = send('a', '--name', 'x')
  const exit = await receive('x#some-words-for-it-to-use').ends()
  t.equal(exit.code, 1)
  t.match(exit.text, /It is not encrypted, though it should be/)
  t.same(
    readdirSync(there).filter((name) => !name.endsWith('.part')),
    [],
  )
  await sender.ends()
})
