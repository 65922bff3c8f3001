/** What docs/send-receive.md says of settings, exit codes and the wire is so, and the README's pictures are of this program. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { placeOf } from '../../client/place.js'
import { description as receive } from '../../client/receive/description.js'
import { description as send } from '../../client/send/description.js'
import { readDescription } from '../../client/wire/description.js'
import { readHave } from '../../client/wire/have-list.js'
import { PROJECT, readProject } from '../support/project.js'
import { examplesOf } from './examples.js'

const page = readProject('docs/send-receive.md')
const blocks = examplesOf(page)

t.test('the settings file, and whose token it is', async (t) => {
  const { text } = blocks.find(({ kind }) => kind === 'yaml')!
  const env = { XDG_CONFIG_HOME: t.testdir() }
  mkdirSync(join(env.XDG_CONFIG_HOME, 'pipegate'))
  writeFileSync(join(env.XDG_CONFIG_HOME, 'pipegate', 'client.yaml'), text)
  const flags = { server: undefined, token: undefined, header: [], cacert: undefined }
  const { url, headers } = await placeOf('holidays', flags, env)
  t.equal(url, 'https://pipe.example.org/holidays')
  t.ok(text.includes(`token: ${`${headers.authorization}`.replace('Bearer ', '')}`))
  t.same((await placeOf('https://elsewhere.example/holidays', flags, env)).headers, {}, 'no token for another server')
})

t.test('every exit code', async (t) => {
  const told = [...page.matchAll(/^\| (\d[\d, ]*) \|/gm)].flatMap(([, codes]) => codes!.split(', '))
  for (const { exits } of [send, receive]) t.same(told.sort(), Object.keys(exits).sort())
})

t.test('the wire', async (t) => {
  const [, header] = /^X-Piping: (.+)$/m.exec(page)!
  t.match(readDescription(header), { kind: 'tar', name: 'photos', files: 3412 })
  const { text } = blocks.find((block) => block.text.startsWith('{"have":'))!
  const have = await readHave(
    (async function* () {
      yield Buffer.from(text)
    })(),
  )
  const file = { path: 'photos/1.jpg', size: 18_234, mtimeMs: 1_764_408_000_000, mode: 0o644 }
  t.equal(have(file), true)
  t.equal(have({ ...file, size: 1 }), false)
})

t.test('pictures', async (t) => {
  const shown = [...readProject('README.md').matchAll(/\]\((docs\/images\/[^)]+)\)/g)].map(([, file]) => file!)
  t.same(shown, ['docs/images/way.svg', 'docs/images/send.svg', 'docs/images/progress.png'])
  for (const file of shown) t.ok(existsSync(join(PROJECT, file)), file)
  for (const word of ['Sending', 'pipegate', 'receive', '?receive', 'receiver', '%'])
    t.ok(readProject('docs/images/send.svg').includes(word), word)
})
