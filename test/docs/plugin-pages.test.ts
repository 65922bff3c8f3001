/** Every block of docs/plugins/*.md is loaded or run: a configuration by `pipegate check`, commands against a real gateway. */
import { X509Certificate } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { check } from '../../gateway/commands/check.js'
import { configured } from '../../gateway/commands/configured.js'
import { BUNDLED, DEFAULTS, freshToken } from '../../plugins/bundled.js'
import { Authority } from '../support/authority.js'
import { type CertificateFiles, makeCertificate } from '../support/certificate.js'
import { curl, curlDone } from '../support/curl.js'
import { makeKey, sign, startIssuer } from '../support/issuer.js'
import { type Program, startProgram } from '../support/program.js'
import { MAIN, PROJECT, readProject } from '../support/project.js'
import { startUpstream } from '../support/upstream.js'
import { dialogue, type Example, examplesOf, Terminal, terminals } from './examples.js'

const PLUGINS = join(PROJECT, 'docs/plugins')
const SHOWN_ORIGINS = ['http://127.0.0.1:8080', 'https://pipe.example.org']
const TOKEN = 'pg_the-token-of-whoever-reads-the-page'

/** What the reader has: files beside the configuration, and variables. */
const FILES = {
  'tokens.yaml': `[{ name: me, project: builds, token: ${TOKEN} }]`,
  'link-secret': 'an old secret of a good length, for tests',
  'link-secret.new': 'a new secret of a good length, for tests',
  'report.pdf': 'x'.repeat(52_011),
  'build.tar': 'of number 7',
  'backup.tar': 'of monday',
}
const VARIABLES = {
  TOKEN,
  BACKUP_TOKEN: 'pg_the-token-of-the-nightly-backup',
  LOG_SALT: 'a salt for tests of hashes',
  METRICS_TOKEN: 'a-token-of-the-scraper',
}

/** One example where it is tried out. */
class Try {
  readonly dir: string

  constructor(
    readonly t: Test,
    readonly example: Example,
    readonly page: readonly Example[],
  ) {
    this.dir = t.testdir(FILES)
    const pipegate = join(this.dir, 'pipegate')
    writeFileSync(pipegate, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`)
    chmodSync(pipegate, 0o755)
  }

  /** Another example of the page. */
  other(wanted: string): string {
    const found = this.page.find(({ id }) => id === wanted)
    if (found === undefined) throw new Error(`no example ${wanted}`)
    return found.text
  }

  #configure(yaml: string): string {
    const file = join(this.dir, 'pipegate.yaml')
    writeFileSync(file, yaml)
    return file
  }

  /** The configuration is one that the gateway takes: `pipegate check`, in this process. @throws ConfigError */
  async check(): Promise<void> {
    const config = this.#configure(this.example.text)
    Object.assign(process.env, VARIABLES)
    const { text, exitCode } = await configured(check, { config }, { BUNDLED, DEFAULTS, freshToken })
    this.t.equal(exitCode, 0)
    this.t.match(text, 'The configuration is good.')
  }

  serve(yaml: string): Promise<Program> {
    return startProgram(this.t, ['--config', this.#configure(yaml)], { env: VARIABLES })
  }

  run(command: string, program?: Program, env: NodeJS.ProcessEnv = {}): Terminal {
    const here = SHOWN_ORIGINS.reduce(
      (text, origin) => (program === undefined ? text : text.replaceAll(origin, new URL(program.base).origin)),
      command,
    )
    const path = `${this.dir}:${process.env.PATH}`
    const terminal = new Terminal(here, this.dir, { ...VARIABLES, ...env, PATH: path })
    this.t.teardown(() => terminal.stop())
    return terminal
  }

  /** Runs each terminal of the example to its end, all at once. Returns what they show. */
  async commands(program?: Program, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
    const all = terminals(this.example.text).map((each) => this.run(each, program, env))
    for (const each of all) this.t.equal(await each.done, 0, each.text)
    return all.map(({ text }) => text)
  }

  /** Each command shows what stands below it. */
  async asShown(program: Program): Promise<void> {
    for (const { command, output } of dialogue(this.example.text)) {
      const terminal = this.run(command, program)
      await terminal.done
      this.t.equal(terminal.text.trim(), output.trim())
    }
  }

  file(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8')
  }
}

/** Sends, and tells what the access log has to say of it. */
async function logged(run: Try, yaml: string): Promise<Record<string, unknown>[]> {
  const program = await run.serve(yaml)
  const both = terminals(run.other('access-log.use')).map((command) => run.run(command, program))
  for (const { done } of both) await done
  await program.waitForLog('transfer')
  await program.endsAfter('SIGTERM')
  return run
    .file('access.log')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Those that the page of auth-cert names. Returns the fingerprint of the one that it pins. */
function layCertificates({ dir }: Try): string {
  makeCertificate(dir, { name: 'server' })
  const ca = new Authority(dir, 'clients-ca')
  const lay = (name: string, { cert, key }: CertificateFiles) => {
    copyFileSync(cert, join(dir, `${name}.pem`))
    copyFileSync(key, join(dir, `${name}.key`))
  }
  lay('clients-ca', ca)
  lay('agent', ca.issue({ name: 'agent', names: 'DNS:seven.agents.example.org' }))
  lay('release', ca.issue({ name: 'release' }))
  writeFileSync(join(dir, 'certificates.yaml'), '[]')
  return new X509Certificate(readFileSync(join(dir, 'release.pem'))).fingerprint256
}

const STAGES: Readonly<Record<string, (run: Try) => Promise<unknown>>> = {
  'access-log': (run) => run.check(),
  async 'access-log.use'(run) {
    await run.commands(await run.serve(run.other('access-log')))
    run.t.equal(run.file('copy.pdf'), FILES['report.pdf'])
  },
  async 'access-log.lines'(run) {
    const written = await logged(run, 'plugins: [{ plugin: access-log, config: { output: { file: access.log } } }]')
    const lines = run.example.text.trim().split('\n')
    run.t.equal(lines.length, 2)
    for (const line of lines.map((each) => JSON.parse(each))) {
      const found = written.find(({ msg, method }) => msg === line.msg && method === line.method)
      // A stream of less than a millisecond has no speed.
      const fields = (of: object = {}) => Object.keys(of).filter((key) => key !== 'bytesPerSecond')
      run.t.same(fields(line), fields(found), `the fields of a ${line.msg}`)
      for (const key of ['name', 'reason', 'bytesIn', 'bytesOut', 'status', 'outcome', 'address']) {
        run.t.equal(line[key], found?.[key], key)
      }
    }
  },
  async 'access-log.hash'(run) {
    const [hash = ''] = await run.commands()
    const written = await logged(run, run.other('access-log'))
    run.t.equal(written.find(({ msg }) => msg === 'transfer')?.name, hash.trim())
  },
  'auth-bearer': (run) => run.check(),
  async 'auth-bearer.token'(run) {
    const [text = ''] = await run.commands()
    run.t.match(parse(text.split('\n').slice(1).join('\n')), [
      { name: 'ci', project: 'builds', names: ['artifacts/**', 'logs/*'] },
    ])
  },
  async 'auth-bearer.use'(run) {
    await run.commands(await run.serve(run.other('auth-bearer')))
    run.t.equal(run.file('copy.tar'), FILES['build.tar'])
  },
  async 'auth-cert'(run) {
    layCertificates(run)
    await run.check()
  },
  async 'auth-cert.use'(run) {
    const fingerprint = layCertificates(run)
    const yaml = run.other('auth-cert').replace(/fingerprint: .*/, `fingerprint: '${fingerprint}'`)
    await run.commands(await run.serve(yaml), { CURL_CA_BUNDLE: join(run.dir, 'server.pem') })
    run.t.equal(run.file('copy.tar'), FILES['build.tar'])
  },
  'auth-jwt': (run) => run.check(),
  async 'auth-jwt.use'(run) {
    const key = await makeKey('ES256', 'one')
    const issuer = await startIssuer(run.t, key)
    const { config } = parse(run.other('auth-jwt')).plugins[0]
    const yaml = run.other('auth-jwt').replace(config.jwksUrl, issuer.url)
    const claims = { iss: config.issuer, tenant: 'acme', scope: 'pipe:send pipe:receive', pipes: 'backups/*' }
    const JWT = await sign(key, { claims })
    const program = await run.serve(yaml)
    const receiver = curl(['-H', `Authorization: Bearer ${JWT}`, program.url('backups/monday')])
    await run.commands(program, { JWT })
    run.t.equal((await receiver.result).stdout.toString(), FILES['backup.tar'])
  },
  cors: (run) => run.check(),
  'cors.preflight': async (run) => run.asShown(await run.serve(run.other('cors'))),
  limits: (run) => run.check(),
  async 'limits.refused'(run) {
    const yaml = run
      .other('limits')
      .replace(/redis:[\s\S]*$/, '')
      .replace('points: 100,', 'points: 1,')
    const program = await run.serve(yaml)
    await curlDone(['-H', `Authorization: Bearer ${TOKEN}`, program.url('backup?wait=1')])
    for (const { command, output } of dialogue(run.example.text)) {
      const terminal = run.run(`set +e; ${command.replace('curl ', 'curl -sS ')}`, program)
      await terminal.done
      // The time to wait and the limit are others, and every answer has a date and the like.
      const said = terminal.text.replaceAll('\r', '').replace(/\d+/g, '0')
      for (const line of output.trim().replace(/\d+/g, '0').split('\n'))
        run.t.ok(said.split('\n').includes(line), `${line}\n${said}`)
    }
  },
  links: (run) => run.check(),
  async 'links.secret'(run) {
    await run.commands()
    run.t.match(run.file('link-secret'), /^\S{44}\n$/)
  },
  'links.rotation': (run) => run.check(),
  async 'links.made'(run) {
    const program = await run.serve(run.other('links'))
    const [link = ''] = await run.commands(program)
    const sender = curl(['-H', `Authorization: Bearer ${TOKEN}`, '-d', 'hello', program.url('artifacts/7')])
    run.t.equal((await curlDone([here(program, link)])).stdout.toString(), 'hello')
    await sender.result
  },
  async 'links.by-hand'(run) {
    const program = await run.serve(run.other('links'))
    const [link = ''] = await run.commands()
    run.t.match(link, /^https:\/\/pipe\.example\.org\/artifacts\/7\?progress&sig=/)
    const { stdout } = await curlDone(['-H', 'Accept: application/json', here(program, link)])
    run.t.match(JSON.parse(stdout.toString()), { state: 'idle' })
  },
  pages: (run) => run.check(),
  async 'pages.receive'(run) {
    const [received = ''] = await run.commands(await run.serve('plugins: []'))
    run.t.match(received, /hello$/)
  },
  media: (run) => run.check(),
  async 'media.pages'(run) {
    const [shown = ''] = await run.commands(await run.serve('plugins: []'))
    run.t.match(shown, /^<!doctype html>[\s\S]*<video [\s\S]*\[ERROR\] Timed out waiting for receivers\./)
  },
  openapi: (run) => run.check(),
  'openapi.read': async (run) => run.asShown(await run.serve('plugins: []')),
  progress: (run) => run.check(),
  'reverse-proxy': (run) => run.check(),
  async 'reverse-proxy.use'(run) {
    const upstream = await startUpstream(run.t, (request, response) => {
      response.end(`${request.method} ${request.url}\n`)
    })
    const yaml = run.other('reverse-proxy').replace(/http:\/\/127\.0\.0\.1:4001, \S+(?=\])/, upstream)
    await run.asShown(await run.serve(yaml))
  },
  metrics: (run) => run.check(),
  async 'metrics.scrape'(run) {
    const [text = ''] = await run.commands(await run.serve(run.other('metrics')))
    run.t.match(text, /^pipegate_pipes\{state="waiting"\} 0$/m)
  },
  async 'metrics.prometheus'(run) {
    const [scrape] = parse(run.example.text).scrape_configs
    const program = await run.serve(run.other('metrics'))
    const url = `${new URL(program.base).origin}${scrape.metrics_path}`
    const answer = await curlDone(['-f', '-H', `Authorization: Bearer ${VARIABLES.METRICS_TOKEN}`, url])
    run.t.equal(answer.code, 0)
    for (const file of parse(run.example.text).rule_files)
      run.t.ok(existsSync(join(PROJECT, 'deploy/prometheus', file)))
  },
}

/** The address in what a command shows, on the gateway of the test. */
function here(program: Program, text: string): string {
  const { pathname, search } = new URL(/^https:\S+$/m.exec(text)![0])
  return `${new URL(program.base).origin}${pathname}${search}`
}

const pages = readdirSync(PLUGINS).map((file) => ({
  file,
  examples: examplesOf(readProject(`docs/plugins/${file}`)),
}))

for (const { file, examples } of pages) {
  t.test(file, async (t) => {
    for (const example of examples) {
      const stage = STAGES[example.id]
      if (stage === undefined) t.fail(`a block that no test knows: ${example.id || example.text}`)
      else await t.test(example.id, async (t) => void (await stage(new Try(t, example, examples))))
    }
  })
}

t.test('no stage without its example, and none in docs/plugins.md that is not run', async (t) => {
  const ids = pages.flatMap(({ examples }) => examples.map(({ id }) => id))
  t.same(Object.keys(STAGES).sort(), ids.sort())
  // By package.test.ts; the drawing is none.
  const tutorial = ['install', 'teams.mjs', 'pipegate.yaml', 'check', 'use', 'refused', 'drawing']
  t.same(
    examplesOf(readProject('docs/plugins.md')).map(({ id }) => id),
    tutorial,
  )
})
