/** What the README and the docs show is what happens: every example in them is run as it is printed. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FAILURES } from '../../gateway/http/failures.js'
import { HEAD_FAILURES } from '../../gateway/http/head-failures.js'
import { eventually } from '../support/eventually.js'
import { startDefaultGateway } from '../support/gateway.js'
import { MAIN, PROJECT, readProject } from '../support/project.js'
import { isThorough } from '../support/thorough.js'
import { DUPLEX_STAGES } from './duplex-stages.js'
import { dialogue, type Example, examplesOf, SHELLS, type Shell, shown, Terminal, terminals } from './examples.js'
import { LIVE_STAGES } from './live-stages.js'
import { MEDIA_STAGES } from './media-stages.js'
import { MESSAGES_STAGES } from './messages-stages.js'
import { PEOPLE_STAGES } from './people-stages.js'
import { QUESTIONS_STAGES } from './questions-stages.js'
import { README_STAGES } from './readme-stages.js'
import { REPLACES_STAGES } from './replaces-stages.js'
import { type Stage, same } from './stage.js'
import { TOPIC_STAGES } from './topic-stages.js'

const PAGES = [
  'README.md',
  'docs/send-receive.md',
  'docs/protocol.md',
  'docs/configuration.md',
  'docs/architecture.md',
  'docs/watch.md',
  'docs/security.md',
  'docs/media.md',
  'docs/live.md',
  'docs/messages.md',
  'docs/topics.md',
  'docs/duplex.md',
]
/** What there was before, and what takes its place. */
const REPLACES = readdirSync(join(PROJECT, 'docs/replaces')).map((name) => `docs/replaces/${name}`)
const SHOWN_ORIGIN = 'http://127.0.0.1:8080'
/** A slow machine starts several programs at once. */
const WITHIN = { timeoutMs: 60_000 }

/** What is run; configurations and drawings are not. */
function commandsOf(file: string): Example[] {
  return examplesOf(readProject(file)).filter(({ kind }) => kind === 'sh' || kind === 'console')
}

const STAGES: Readonly<Record<string, Stage>> = {
  ...README_STAGES,
  ...PEOPLE_STAGES,
  ...LIVE_STAGES,
  ...TOPIC_STAGES,
  ...DUPLEX_STAGES,
  ...MEDIA_STAGES,
  ...REPLACES_STAGES,
  ...MESSAGES_STAGES,
  ...QUESTIONS_STAGES,
  sha256: {},
  form: {
    has: { 'photo.jpg': 'a picture' },
    check: (t, dir) => same(t, dir, 'photo.jpg', 'received.jpg'),
  },
  'settings-table': {
    atRoot: true,
    check: (t, _dir, run) => t.ok(readProject('docs/configuration.md').includes(run[0]!.text.trim())),
  },
  'sender-lines': {},
  resume: {},
  'reply-end': {},
  'receiver-headers': {},
  refusal: {},
  status: {},
  health: {},
  refused: {},
  host: {},
}

/** Examples of one page at a time: most of them wait for their programs to start. */
const AT_ONCE = 4

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

/** The variables of somebody who has installed it, and uses the gateway at `origin`. */
function ownEnvironment(dir: string, origin: string): NodeJS.ProcessEnv {
  const bin = join(dir, '.bin')
  mkdirSync(bin)
  const script = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`
  writeFileSync(join(bin, 'pipegate'), script, { mode: 0o755 })
  const local = { NO_PROXY: '*', no_proxy: '*', LC_ALL: 'C.UTF-8' }
  return {
    PATH: `${bin}:${process.env.PATH}`,
    XDG_CONFIG_HOME: dir,
    PIPEGATE_URL: origin,
    PIPEGATE_TOKEN: '',
    ...local,
  }
}

async function runTerminals(t: Test, text: string, stage: Stage, shell: Shell, origin: string): Promise<void> {
  const dir = t.testdir()
  lay(dir, stage.has ?? {})
  if (stage.there !== undefined) lay(dir, { there: stage.there })
  const env = { ...ownEnvironment(dir, origin), ...(await stage.prepare?.(dir, t, origin)) }
  const { HTTPS_PORT = '' } = env
  const start = (command: string, cwd: string) => {
    const here = command.replaceAll(SHOWN_ORIGIN, origin).replaceAll('localhost:8080', `localhost:${HTTPS_PORT}`)
    const terminal = new Terminal(here, stage.atRoot ? PROJECT : cwd, env, shell)
    t.teardown(() => terminal.stop())
    return terminal
  }
  const [own = '', ...others] = terminals(text)
  const first = start(own, dir)
  if (stage.after !== undefined) await eventually(() => stage.after!.test(first.text) || first.text, WITHIN)
  const there = stage.there === undefined ? dir : join(dir, 'there')
  const run = [first, ...[...others, ...(stage.more?.(first.text) ?? [])].map((command) => start(command, there))]
  if (stage.endless === undefined) {
    for (const each of run) t.equal(await each.done, 0, `exits 0: ${each.text}`)
  } else {
    await stage.endless(dir, run)
  }
  stage.check?.(t, dir, run)
}

/** Compares what a command prints with what is shown. */
async function runDialogue(t: Test, text: string, shell: Shell, origin: string): Promise<void> {
  const dir = t.testdir()
  lay(dir, STAGES.form!.has!)
  for (const { command, output } of dialogue(text)) {
    // Without -e: a command that fails is part of what is shown.
    const run = new Terminal(`set +e; ${command.replaceAll(SHOWN_ORIGIN, origin)}`, dir, {}, shell)
    t.teardown(() => run.stop())
    await run.done
    t.match(run.text, shown(output), command)
  }
}

for (const file of [...PAGES, ...REPLACES]) {
  t.test(file, { jobs: AT_ONCE }, async (t) => {
    for (const { id, kind, text } of commandsOf(file)) {
      const stage = STAGES[id]
      if (stage === undefined) {
        t.fail(`an example that no test knows: ${id || text}`)
        continue
      }
      // By day zsh; bash where an example is for it alone, and in all the other tests of documentation.
      for (const shell of stage.shells ?? (isThorough ? SHELLS : SHELLS.slice(-1))) {
        const skip = stage.atNight === true && !isThorough && 'at night'
        t.test(`${id}, in ${shell}`, { skip }, async (t) => {
          const { origin } = await startDefaultGateway(t)
          if (kind === 'sh') await runTerminals(t, text, stage, shell, origin)
          else await runDialogue(t, text, shell, origin)
        })
      }
    }
  })
}

t.test('no stage without its example', async (t) => {
  const shown = [...PAGES, ...REPLACES].flatMap((file) => commandsOf(file).map(({ id }) => id))
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
