/** Plugins as an operator loads them: a configuration file, and the program. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { check } from '../../../gateway/commands/check.js'
import { configured } from '../../../gateway/commands/configured.js'
import { BUNDLED, DEFAULTS, freshToken } from '../../../plugins/bundled.js'
import { curlDone } from '../../support/curl.js'
import { PROJECT, runProgram, startProgram } from '../../support/program.js'
import { sample } from '../../support/thorough.js'

const API = pathToFileURL(join(PROJECT, 'dist/gateway/host/plugin-api.js')).href

/** A plugin that answers every receiver with its own word. */
const source = (name: string, more = '') => `
import { definePlugin, PLUGIN_API, textAnswer, z } from '${API}'
export default definePlugin({
  name: '${name}', api: PLUGIN_API, summary: 'says a word', ${more}
  config: z.strictObject({ word: z.string().min(2).default('none') }),
  setup: (host) => ({ hooks: { onAdmit: () => textAnswer(200, host.config.word + '\\n') } }),
})`

type Files = Record<string, string | Record<string, string>>

/** A folder with a configuration file and what it needs. */
function folder(t: Test, yaml: string, files: Files = {}): string {
  const dir = t.testdir({ ...files, 'pipegate.yaml': yaml })
  return join(dir, 'pipegate.yaml')
}

t.test('a file beside the configuration, with a configuration of its own', async (t) => {
  const config = folder(t, 'plugins:\n  - plugin: ./word.mjs\n    config: { word: hello }\n', {
    'word.mjs': source('word'),
  })
  const program = await startProgram(t, ['--config', config])
  t.equal((await curlDone([program.url('x')])).stdout.toString(), 'hello\n')
  const plugins = program.logged('plugins, in the order in which they are asked')[0]?.plugins as string[]
  t.equal(plugins[1], 'word: says a word (onAdmit)')
})

t.test('a package that is installed beside the configuration', async (t) => {
  const config = folder(t, 'plugins: [word-package]\n')
  const package_ = { name: 'word-package', version: '1.0.0', type: 'module', main: 'index.js' }
  const at = join(config, '..', 'node_modules')
  mkdirSync(join(at, 'word-package'), { recursive: true })
  writeFileSync(join(at, 'word-package', 'package.json'), JSON.stringify(package_))
  writeFileSync(join(at, 'word-package', 'index.js'), source('word'))
  const program = await startProgram(t, ['--config', config])
  t.equal((await curlDone([program.url('x')])).stdout.toString(), 'none\n')
})

t.test('a file in any folder imports the interface of the gateway that loads it', async (t) => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'pipegate-plugin-'))
  t.teardown(() => rmSync(elsewhere, { recursive: true }))
  // Another pipegate beside it does not count.
  mkdirSync(join(elsewhere, 'node_modules/pipegate'), { recursive: true })
  const other = { name: 'pipegate', version: '9.0.0', type: 'module', exports: { './plugin': './plugin.js' } }
  writeFileSync(join(elsewhere, 'node_modules/pipegate/package.json'), JSON.stringify(other))
  writeFileSync(join(elsewhere, 'node_modules/pipegate/plugin.js'), 'throw new Error("the other one")')
  const own = source('word').replace(API, 'pipegate/plugin')
  writeFileSync(join(elsewhere, 'word.mjs'), own)
  writeFileSync(join(elsewhere, 'late.mjs'), `export default (await import('./word.mjs')).default`)
  for (const file of ['word.mjs', 'late.mjs']) {
    const config = folder(t, `plugins: [{ plugin: ${join(elsewhere, file)}, config: { word: hello } }]\n`)
    const program = await startProgram(t, ['--config', config])
    t.equal((await curlDone([program.url('x')])).stdout.toString(), 'hello\n', file)
  }
})

t.test('check looks at everything and starts nothing', async (t) => {
  const plugin = `
import { definePlugin, PLUGIN_API, z } from '${API}'
export default definePlugin({ name: 'starts', api: PLUGIN_API, config: z.strictObject({}),
  setup: () => ({ start() { console.log('STARTED') }, hooks: { onEnded() {} } }) })`
  const yaml = 'plugins: [./word.mjs, ./starts.mjs, { plugin: ./none.mjs, enabled: false }]\n'
  const config = folder(t, yaml, { 'word.mjs': source('word', "after: ['starts'],"), 'starts.mjs': plugin })
  const { code, stdout, stderr } = await runProgram(t, ['check', '--config', config])
  t.equal(stderr, '')
  t.equal(code, 0)
  const first = '2. starts: no summary (onEnded)\n3. word: says a word (onAdmit)\n4. metrics: '
  t.equal(
    stdout.slice(0, stdout.indexOf('4. metrics: ') + 12),
    `The configuration is good.\nPlugins, in their order:\n1. cors: Lets pages of other origins use this gateway. (onRequest)\n${first}`,
  )
})

t.test('some plugins are there without being asked for, unless they are switched off', async (t) => {
  const namesOf = async (...args: string[]) => {
    const { stdout } = await runProgram(t, ['check', ...args])
    return [...stdout.matchAll(/^\d+\. (\S+):/gm)].map(([, name]) => name)
  }
  t.strictSame(await namesOf(), DEFAULTS)
  const off = folder(
    t,
    'plugins:\n  - { plugin: metrics, enabled: false }\n  - { plugin: progress, config: { linger: 1 } }\n',
  )
  t.strictSame(
    await namesOf('--config', off),
    DEFAULTS.filter((name) => name !== 'metrics'),
  )
  const none = folder(t, `plugins: [${DEFAULTS.map((plugin) => `{ plugin: ${plugin}, enabled: false }`).join(', ')}]\n`)
  t.match((await runProgram(t, ['check', '--config', none])).stdout, /^The configuration is good\.\nNo plugins\.\n$/)
  const program = await startProgram(t, [])
  t.match((await curlDone(['-s', program.url('metrics')])).stdout.toString(), /^pipegate_watchers 0$/m)
})

const MISTAKES: Record<string, [yaml: string, files: Files, says: RegExp]> = {
  'no list': ['plugins: word\n', {}, /plugins: found no list, expected a list of plugins/],
  'an entry that is none': [
    'plugins: [{ name: x, secret: s3cr3t }]\n',
    {},
    /plugins\[0\]: found a mapping with the keys name, secret, expected/,
  ],
  'an unknown plugin': ['plugins: [word-pakage]\n', {}, /plugins\[0\] \(word-pakage\): found no plugin "word-pakage"/],
  'a file that is not there': ['plugins: [./none.mjs]\n', {}, /plugins\[0\] \(.\/none.mjs\): found no file .*none.mjs/],
  'a file that does not load': [
    'plugins: [./bad.mjs]\n',
    { 'bad.mjs': 'throw new Error("it is broken")' },
    /does not load: it is broken/,
  ],
  'an ES module that is named as if it were CommonJS': [
    'plugins: [./gate/index.js]\n',
    { gate: { 'package.json': '{ "type": "commonjs" }', 'index.js': 'export default {}' } },
    /does not load: .*; name it \.mjs, or put "type": "module" into/,
  ],
  'a file without a plugin': [
    'plugins: [./bad.mjs]\n',
    { 'bad.mjs': 'export const x = 1' },
    /has no plugin as its default export/,
  ],
  TypeScript: ['plugins: [./bad.ts]\n', { 'bad.ts': '' }, /found TypeScript/],
  'an unknown key': [
    'plugins: [{ plugin: ./word.mjs, config: { wrod: x } }]\n',
    { 'word.mjs': source('word') },
    /plugins\[0\] \(.\/word.mjs\): config: .*wrod/,
  ],
  'a bad value': [
    'plugins: [{ plugin: ./word.mjs, config: { word: 5 } }]\n',
    { 'word.mjs': source('word') },
    /config.word: Invalid input: expected string, received number/,
  ],
  'another version': [
    'plugins: [./word.mjs]\n',
    { 'word.mjs': source('word').replace('api: PLUGIN_API', 'api: 7') },
    /plugin word was written for plugin API 7, and this gateway has 1/,
  ],
}

// A configuration is read by the same code in every command: each mistake in this process, and some by the program too.
const BY_PROGRAM = sample(Object.keys(MISTAKES), 3)

function namesThePlace(t: Test, text: string, says: RegExp): void {
  t.match(text, says)
  t.ok(text.includes('pipegate.yaml'), 'the file is named')
  t.notMatch(text, 's3cr3t')
  t.notMatch(text, '    at ', 'no stack')
}

for (const [name, [yaml, files, says]] of Object.entries(MISTAKES)) {
  t.test(`${name} stops the start with a line that names the place`, async (t) => {
    const config = folder(t, yaml, files)
    const error = await configured(check, { config }, { BUNDLED, DEFAULTS, freshToken }).catch((error) => error)
    t.type(error, Error)
    namesThePlace(t, error.message, says)
    if (!BY_PROGRAM.includes(name)) return
    for (const command of ['serve', 'check']) {
      const { code, stdout, stderr } = await runProgram(t, [command, '--port', '0', '--config', config])
      t.equal(code, 1)
      t.equal(stdout, '')
      namesThePlace(t, stderr, says)
    }
  })
}

t.test('paths in a configuration are relative to the file that has it', async (t) => {
  const secret = 'a secret of a good length, for tests only'
  const token = 'plain-token-of-30-characters..'
  const { publicKey } = generateKeyPairSync('ed25519')
  const yaml = JSON.stringify({
    plugins: [
      { plugin: 'links', config: { secretFile: 'secrets/link' } },
      { plugin: 'auth-bearer', config: { file: 'secrets/tokens.yaml' } },
      { plugin: 'auth-jwt', config: { publicKeyFile: './key.pem', issuer: 'x' } },
      { plugin: 'access-log', config: { output: { file: 'access.log' } } },
    ],
  })
  const config = folder(t, yaml, {
    secrets: { link: secret, 'tokens.yaml': JSON.stringify([{ name: 'me', token }]) },
    'key.pem': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  })
  // The program is started in another folder.
  const program = await startProgram(t, ['--config', config])
  const auth = ['-H', `Authorization: Bearer ${token}`]
  t.match((await curlDone([...auth, program.url('x?link=watch')])).stdout.toString(), /sig=/)
  await program.endsAfter('SIGTERM')
  t.match(readFileSync(join(config, '../access.log'), 'utf8'), '"status":200')
})

t.test('a printed configuration names its plugins, and shows nothing of theirs', async (t) => {
  const config = folder(t, 'plugins: [{ plugin: ./word.mjs, config: { word: s3cr3t } }]\n', {
    'word.mjs': source('word'),
  })
  const { stdout } = await runProgram(t, ['serve', '--print-config', '--config', config])
  t.match(stdout, /# .*pipegate.yaml: plugins\[0\] \(.\/word.mjs\), not shown\n$/)
  t.notMatch(stdout, 's3cr3t')
})
