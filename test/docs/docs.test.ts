/** What the README and the docs show is what happens: every example in them is run as it is printed. */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FAILURES } from '../../gateway/http/failures.js'
import { HEAD_FAILURES } from '../../gateway/http/head-failures.js'
import { startDefaultGateway } from '../support/gateway.js'
import { MAIN, PROJECT, readProject } from '../support/project.js'
import { dialogue, type Example, examplesOf, shown, Terminal, terminals } from './examples.js'
import { LIVE_STAGES } from './live-stages.js'
import { MEDIA_STAGES } from './media-stages.js'
import { type Stage, same } from './stage.js'

const PAGES = [
  'README.md',
  'docs/protocol.md',
  'docs/configuration.md',
  'docs/architecture.md',
  'docs/watch.md',
  'docs/security.md',
  'docs/media.md',
  'docs/live.md',
]
const SHOWN_ORIGIN = 'http://127.0.0.1:8080'

/** What is run; configurations and drawings are not. */
function commandsOf(file: string): Example[] {
  return examplesOf(readProject(file)).filter(({ kind }) => kind === 'sh' || kind === 'console')
}

const TREE = { one: 'first file', two: 'x'.repeat(100_000) }

const STAGES: Readonly<Record<string, Stage>> = {
  ...LIVE_STAGES,
  ...MEDIA_STAGES,
  'first-light': {
    has: { 'some/big/folder': TREE, elsewhere: {} },
    check: (t, dir) => same(t, dir, 'some/big/folder/two', 'elsewhere/some/big/folder/two'),
  },
  folder: {
    has: { photos: TREE },
    check: (t, dir) => same(t, dir, 'photos/two'),
  },
  postgres: {
    prepare: (dir, t) => startPostgres(dir, t),
    check: (t, _dir, run) =>
      t.equal(
        run
          .map((each) => each.text)
          .join('')
          .includes('ERROR'),
        false,
      ),
  },
  'fan-out': {
    has: { 'release.tar': 'x'.repeat(1_000_000) },
    check: (t, dir) => same(t, dir, 'release.tar', 'release.1.tar', 'release.2.tar', 'release.3.tar'),
  },
  sha256: {},
  form: {
    has: { 'photo.jpg': 'a picture' },
    check: (t, dir) => same(t, dir, 'photo.jpg', 'received.jpg'),
  },
  browser: {
    has: { 'report.pdf': '%PDF-1.7 and so on' },
    check: (t, dir) => same(t, dir, 'report.pdf', 'Report for Anna.pdf'),
  },
  job: {
    check: (t, _dir, run) => t.match(run[1]!.text, /\{"resize": "cat.jpg"\}/),
  },
  barrier: {
    check: (t, dir) => t.ok(existsSync(join(dir, 'started'))),
  },
  delivered: {
    has: { 'invoice.xml': '<invoice/>', done: {} },
    check: (t, dir) => same(t, dir, 'done/invoice.xml', 'received.xml'),
  },
  encrypted: {
    has: { 'plans.txt': 'nobody must know', secret: 'correct horse battery staple' },
    check: (t, dir) => same(t, dir, 'plans.txt', 'plans.copy.txt'),
  },
  git: {
    prepare: (dir) => {
      mkdirSync(join(dir, 'project'))
      const git = (...args: string[]) => execFileSync('git', ['-C', join(dir, 'project'), ...args], { stdio: 'pipe' })
      git('init', '-q', '-b', 'main')
      writeFileSync(join(dir, 'project', 'file'), 'content')
      git('add', '.')
      git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first')
      return {}
    },
    check: (t, dir) => same(t, dir, 'project/file', 'copy/file'),
  },
  'settings-table': {
    atRoot: true,
    check: (t, _dir, run) => t.ok(readProject('docs/configuration.md').includes(run[0]!.text.trim())),
  },
  'watch-next': {
    has: { photos: TREE, elsewhere: {} },
    prepare: withCommand,
    check: (t, dir) => {
      same(t, dir, 'photos/two', 'elsewhere/photos/two')
      t.ok(existsSync(join(dir, 'next-step')))
    },
  },
  'watch-json': {
    has: { 'backup.tar': 'x'.repeat(1_000_000) },
    prepare: withCommand,
    check: (t, dir) => {
      const outcome = { state: 'complete', exitCode: 0, receipt: { bytes: 1_000_000 } }
      t.match(JSON.parse(readFileSync(join(dir, 'outcome.json'), 'utf8')), { event: 'outcome', data: outcome })
    },
  },
  'sender-lines': {},
  resume: {},
  'reply-end': {},
  'receiver-headers': {},
  refusal: {},
  watch: {
    has: { 'some/big/folder': TREE, elsewhere: {} },
    check: (t, dir, run) => {
      same(t, dir, 'some/big/folder/two', 'elsewhere/some/big/folder/two')
      t.equal(run.at(-1)!.text, 'event: done\n')
    },
  },
  status: {},
  health: {},
  refused: {},
  host: {},
}

/** `pipegate` as npm would install it. */
function withCommand(dir: string): NodeJS.ProcessEnv {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  const script = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`
  writeFileSync(join(bin, 'pipegate'), script, { mode: 0o755 })
  return { PATH: `${bin}:${process.env.PATH}` }
}

/** A real PostgreSQL with a database `shop`, on a socket in `dir`, owned by an ordinary user as it insists. */
function startPostgres(dir: string, t: Test): NodeJS.ProcessEnv {
  const versions = readdirSync('/usr/lib/postgresql')
  const bin = `/usr/lib/postgresql/${versions.sort().at(-1)}/bin`
  const data = join(dir, 'data')
  const user = process.getuid?.() === 0 ? 'postgres' : undefined
  mkdirSync(data)
  if (user !== undefined) {
    const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
    for (const folder of [dir, data]) chownSync(folder, id('-u'), id('-g'))
  }
  const as = (command: string, ...args: string[]) => {
    const [program, all] = user === undefined ? [command, args] : ['runuser', ['-u', user, '--', command, ...args]]
    return execFileSync(program, all, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  }
  const superuser = ['-h', dir, '-U', 'tester']
  as(`${bin}/initdb`, '-D', data, '-U', 'tester', '-A', 'trust', '--no-sync')
  as(`${bin}/pg_ctl`, '-D', data, '-w', '-l', join(data, 'log'), '-o', `-k ${dir} -c listen_addresses='' -F`, 'start')
  t.teardown(() => as(`${bin}/pg_ctl`, '-D', data, '-w', '-m', 'immediate', 'stop'))
  for (const name of ['shop', 'shop_new']) as('createdb', ...superuser, name)
  as(
    'psql',
    ...superuser,
    '-q',
    '-d',
    'shop',
    '-c',
    'create table t as select i, md5(i::text) from generate_series(1, 50000) i',
  )
  t.teardown(() => {
    const sum = (database: string) =>
      as('psql', ...superuser, '-At', '-d', database, '-c', 'select sum(i), count(*), max(md5) from t')
    if (sum('shop_new') !== sum('shop')) throw new Error('the new database differs from the old one')
  })
  return { PGHOST: dir, PGUSER: 'tester' }
}

function lay(dir: string, files: NonNullable<Stage['has']>): void {
  for (const [path, content] of Object.entries(files)) {
    if (typeof content === 'string') {
      writeFileSync(join(dir, path), content)
    } else {
      mkdirSync(join(dir, path), { recursive: true })
      lay(join(dir, path), content)
    }
  }
}

async function runTerminals(t: Test, example: Example, stage: Stage, dir: string, origin: string): Promise<void> {
  const env = stage.prepare?.(dir, t) ?? {}
  const run = terminals(example.text).map((command) => {
    return new Terminal(command.replaceAll(SHOWN_ORIGIN, origin), stage.atRoot ? PROJECT : dir, env)
  })
  t.teardown(() => {
    for (const each of run) each.stop()
  })
  if (stage.endless === undefined) {
    for (const each of run) t.equal(await each.done, 0, `exits 0: ${each.text}`)
  } else {
    await stage.endless(dir, run)
  }
  stage.check?.(t, dir, run)
}

/** Compares what a command prints with what is shown. */
async function runDialogue(t: Test, example: Example, dir: string, origin: string): Promise<void> {
  for (const { command, output } of dialogue(example.text)) {
    // Without -e: a command that fails is part of what is shown.
    const run = new Terminal(`set +e; ${command.replaceAll(SHOWN_ORIGIN, origin)}`, dir)
    t.teardown(() => run.stop())
    await run.done
    t.match(run.text, shown(output), command)
  }
}

for (const file of PAGES) {
  t.test(file, async (t) => {
    for (const example of commandsOf(file)) {
      const stage = STAGES[example.id]
      if (stage === undefined) {
        t.fail(`an example that no test knows: ${example.id || example.text}`)
        continue
      }
      await t.test(example.id, async (t) => {
        const gateway = await startDefaultGateway(t)
        const dir = t.testdir()
        lay(dir, stage.has ?? {})
        if (example.kind === 'sh') await runTerminals(t, example, stage, dir, gateway.origin)
        else await runDialogue(t, example, dir, gateway.origin)
      })
    }
  })
}

t.test('no stage without its example', async (t) => {
  const shown = PAGES.flatMap((file) => commandsOf(file).map(({ id }) => id))
  t.same(Object.keys(STAGES).sort(), shown.sort())
})

t.test('the README has ten recipes and the two commands, and package.json knows what they call', async (t) => {
  const readme = readProject('README.md')
  t.equal(readme.match(/^\*\*\d+\. /gm)?.length, 10)
  const { scripts } = JSON.parse(readProject('package.json'))
  for (const script of ['start', 'test']) {
    t.match(readme, new RegExp(`^npm ci && npm ${script}$`, 'm'))
    t.ok(scripts[script])
  }
})

t.test('the configurations in docs/security.md are valid', async (t) => {
  const shown = examplesOf(readProject('docs/security.md')).filter(({ kind }) => kind === 'yaml')
  t.equal(shown.length, 2)
  for (const [i, { text }] of shown.entries()) {
    const file = join(t.testdir(), `${i}.yaml`)
    writeFileSync(file, text)
    t.match(execFileSync(process.execPath, [MAIN, 'check', '--config', file], { encoding: 'utf8' }), /cors: /)
  }
})

t.test('docs/protocol.md lists every refusal there is', async (t) => {
  const lists = { refusals: FAILURES, heads: HEAD_FAILURES }
  for (const [name, failures] of Object.entries(lists)) {
    const rows = Object.values(failures).map(({ code, status, message, hint }) => {
      return `| \`${code}\` | ${status} | ${`${message} ${hint}`.replace(/\{(\w+)\}/g, '*$1*')} |`
    })
    const list = new RegExp(`<!-- ${name} -->\\n[^\\n]+\\n[^\\n]+\\n([\\s\\S]*?)\\n?<!-- /${name} -->`)
    const table = list.exec(readProject('docs/protocol.md'))?.[1]
    t.equal(table, rows.join('\n'), 'the table in docs/protocol.md has to be this')
  }
})
