/** The package as an operator gets it, in a folder that knows nothing of this project: docs/plugins.md to the letter. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { unpackInto } from '../support/installed-package.js'
import { PROJECT, readProject } from '../support/project.js'
import { dialogue, examplesOf, shown, Terminal, terminals } from './examples.js'

const SHOWN_ORIGIN = 'http://127.0.0.1:8080'
const PAGE = examplesOf(readProject('docs/plugins.md'))

function example(wanted: string): string {
  const found = PAGE.find(({ id }) => id === wanted)
  if (found === undefined) throw new Error(`docs/plugins.md has no example ${wanted}`)
  return found.text
}

/** Whatever port is free, and nothing from the network. */
const ENV = { PIPEGATE_PORT: '0', npm_config_offline: 'true', npm_config_loglevel: 'error' }

const home = mkdtempSync(join(tmpdir(), 'pipegate-package-'))
t.teardown(() => rmSync(home, { recursive: true, force: true }))
const folder = join(home, 'my-gate')
unpackInto(join(folder, 'node_modules'))

function run(t: Test, command: string): Terminal {
  const terminal = new Terminal(command, folder, ENV)
  t.teardown(() => terminal.stop())
  return terminal
}

async function serve(t: Test, command: string): Promise<string> {
  const terminal = run(t, command)
  await eventually(() => terminal.text.includes('"listening"') || `it does not listen: ${terminal.text}`, {
    timeoutMs: 30_000,
  })
  return new URL(/"url":"([^"]+)"/.exec(terminal.text)![1]!).origin
}

async function converse(t: Test, text: string, origin: string): Promise<void> {
  for (const { command, output } of dialogue(text)) {
    const terminal = run(t, command.replaceAll(SHOWN_ORIGIN, origin).replace(/^curl /, 'curl -sS '))
    await terminal.done
    t.match(terminal.text, shown(output), command)
  }
}

async function check(t: Test, yaml: string): Promise<void> {
  writeFileSync(join(folder, 'checked.yaml'), yaml)
  const terminal = run(t, 'node_modules/.bin/pipegate check --config checked.yaml')
  t.equal(await terminal.done, 0, terminal.text)
}

t.test('the tutorial', async (t) => {
  t.match(
    example('install'),
    /^mkdir my-gate && cd my-gate\nnpm init -y\nnpm install pipegate\n$/,
    'as the test installs it',
  )
  t.equal(await run(t, 'npm init -y').done, 0)
  for (const file of ['teams.mjs', 'pipegate.yaml']) writeFileSync(join(folder, file), example(file))
  await converse(t, example('check'), '')
  const [server = '', ...others] = terminals(example('use'))
  const origin = await serve(t, server)
  const [receiver, sender] = others.map((each) =>
    run(t, each.replaceAll(SHOWN_ORIGIN, origin).replace('curl ', 'curl -sS ')),
  )
  t.equal(await sender!.done, 0, sender!.text)
  t.equal(await receiver!.done, 0, receiver!.text)
  t.equal(receiver!.text, 'hello\n')
  t.match(sender!.text, /Transfer complete\.\n$/)
  await converse(t, example('refused'), origin)
})

t.test('a plugin that is a package, in CommonJS', async (t) => {
  const at = join(folder, 'node_modules/@ours/gate')
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, 'package.json'), '{ "name": "@ours/gate", "version": "1.0.0" }')
  const source = example('teams.mjs')
    .replace(/import (.*) from (.*)/, 'const $1 = require($2)')
    .replace('export default', 'exports.default =')
  writeFileSync(join(at, 'index.js'), source)
  await check(t, 'plugins: [{ plugin: "@ours/gate", config: { teams: [red] } }]')
})

t.test('the examples of the package', async (t) => {
  const examples = join(folder, 'node_modules/pipegate/examples/plugins')
  cpSync(examples, folder, { recursive: true })
  const names = readdirSync(examples)
  t.ok(names.length >= 3)
  for (const name of names) {
    const blocks = examplesOf(readFileSync(join(examples, name, 'README.md'), 'utf8'))
    t.same(
      blocks.map(({ kind }) => kind),
      ['yaml'],
      'a README has one example, a configuration',
    )
    await check(t, blocks[0]!.text)
  }
})

t.test('a plugin in TypeScript, with all checks that there are', async (t) => {
  const options = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['typed.mts'] }))
  writeFileSync(join(folder, 'typed.mts'), TYPED)
  const tsc = run(t, `${process.execPath} ${join(PROJECT, 'node_modules/typescript/bin/tsc')} -p .`)
  t.equal(await tsc.done, 0, tsc.text)
  writeFileSync(join(folder, 'typed.yaml'), 'plugins: [{ plugin: ./typed.mjs, config: { word: hello } }]')
  const origin = await serve(t, 'node_modules/.bin/pipegate serve --config typed.yaml')
  const said = await fetch(`${origin}/api/v1/pipe/word`)
  t.equal(await said.text(), 'hello 0\n')
  t.equal((await fetch(`${origin}/jobs`)).status, 403)
})

/** Uses types of every kind, as somebody would who splits a plugin into functions. */
const TYPED = `
import { definePlugin, type Host, type Join, type PipeView, PLUGIN_API, type Plugin, type Reply, textAnswer,
  type Token, type Verdict, z } from 'pipegate/plugin'

const config = z.strictObject({ word: z.string(), most: z.int().default(3) })
type Config = z.infer<typeof config>
const failures = { full: { status: 403, message: 'Not {word}.', hint: 'Never.' } } as const
type OurHost = Host<Config, keyof typeof failures>
export const COUNT: Token<{ ended: number }> = { name: 'count' }

class Counter {
  ended = 0
  constructor(readonly host: OurHost) {}
  admit(join: Join): Verdict {
    if (join.side !== 'watcher') return this.host.refuse('full', { word: this.host.config.word })
  }
  over(pipe: PipeView): void {
    if (pipe.endReason === 'complete') this.ended++
  }
  answer(reply: Reply): void {
    reply.give(textAnswer(200, this.host.config.word + ' ' + this.ended + '\\n'))
  }
}

const plugin = definePlugin({
  name: 'typed', api: PLUGIN_API, config, failures,
  setup(host) {
    const counter = new Counter(host)
    const who = host.slot<string>()
    host.provide(COUNT, counter)
    return {
      hooks: {
        onAdmit(_request, join) {
          who.set(join, join.identity?.subject ?? 'nobody')
          return counter.admit(join)
        },
        onEnded: (pipe) => counter.over(pipe),
        onRequestEnded: (record, context) => host.log.debug({ ms: record.ms, who: who.get(context) }, 'over'),
      },
      routes: [{ method: 'GET', path: '/word', handle: (_request, reply) => counter.answer(reply) }],
    }
  },
})
export default plugin

// What is not in the catalogue, or of another type, is an error.
export const wrong = (host: OurHost): unknown[] => [
  // @ts-expect-error
  host.refuse('ful'),
  // @ts-expect-error
  host.config.most.length,
]
// Any plugin fits where the gateway takes one.
export const any: Plugin<Config, 'full'> = plugin
`
