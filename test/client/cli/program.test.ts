/** The program as a user starts it: its commands, their help, their wrong usage, and what is loaded for them. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findCommand } from '../../../client/cli/find.js'
import { helpText } from '../../../client/cli/help.js'
import { readCommandLine } from '../../../client/cli/read.js'
import { PLAIN } from '../../../client/cli/style.js'
import { WrongUsage } from '../../../client/cli/wrong-usage.js'
import { PROGRAM } from '../../../gateway/program.js'
import { MAIN, PROJECT, Program, runProgram } from '../../support/program.js'
import { sample } from '../../support/thorough.js'
import { commandLines } from './examples.js'

t.jobs = 2

const NAMES = Object.keys(PROGRAM.commands)
const descriptionOf = async (name: string) => (await PROGRAM.commands[name]!.describe()).description

t.test('every command says what it does, and what it says is so', async (t) => {
  for (const name of NAMES) {
    const { description } = await PROGRAM.commands[name]!.describe()
    t.equal(description.name, name)
    t.notMatch(description.summary, /\.$/)
    t.ok(description.about.length > 0 && description.examples.length >= 2, `${name} has two examples`)
    for (const code of [0, 2]) t.ok(description.exits[code], `${name}: exit code ${code}`)
    for (const [key, flag] of Object.entries(description.flags)) t.match(flag.help, /^[A-Z].*\.$/, `${name} ${key}`)
    const letters = Object.values(description.flags).flatMap(({ short }) => (short === undefined ? [] : [short]))
    t.equal(new Set([...letters, 'h', 'V']).size, letters.length + 2, `${name}: a letter is one flag`)
    if (description.page !== undefined) t.ok(readFileSync(join(PROJECT, 'docs', description.page)).length > 0)
    t.type((await PROGRAM.commands[name]!.load()).run, 'function')
    const mine = description.examples.flatMap(({ run }) => commandLines(run))
    t.ok(
      mine.some(([first]) => first === name),
      `${name} is in its own examples`,
    )
    for (const [first, ...argv] of mine) {
      const values = readCommandLine(await descriptionOf(first!), argv)
      t.type(values, 'object', `${name}: pipegate ${[first, ...argv].join(' ')}`)
    }
  }
})

t.test('examples that need no gateway run as they stand', async (t) => {
  const secret = 'a secret of more than thirty-two characters'
  const home = t.testdir({
    'link-secret': secret,
    'pipegate.yaml': 'port: 81',
    '.config': { fish: { completions: {} } },
  })
  writeFileSync(join(home, 'pipegate'), `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, { mode: 0o755 })
  const env = { HOME: home, PATH: `${home}:${process.env.PATH}` }
  for (const name of ['help', 'version', 'token', 'link', 'completion', 'check']) {
    // For zsh is what only zsh understands.
    const examples = (await descriptionOf(name)).examples.filter(({ run }) => !run.includes('completion zsh'))
    t.ok(examples.length >= 2)
    for (const { run } of sample(examples, 2)) {
      const script = `cd ${home} && ${run}`
      const { code, stderr } = await new Program(t, ['-c', script], { command: ['bash'], env }).ends(20_000)
      t.same([code, stderr], [0, ''], run)
    }
  }
})

t.test('a flag means the same in every command that has it', async (t) => {
  const shared = new Map<string, unknown>()
  for (const name of NAMES) {
    for (const [key, flag] of Object.entries((await descriptionOf(name)).flags)) {
      if (!['token', 'header', 'cacert', 'server', 'quiet', 'timeout', 'json'].includes(key)) continue
      t.equal(flag, shared.get(key) ?? flag, `${name} ${key}`)
      shared.set(key, flag)
    }
  }
  t.equal(shared.size, 7)
})

t.test('help in every way to ask for it', async (t) => {
  const [all, again, short, watch, helped, asked, help] = await Promise.all(
    [
      ['help'],
      ['--help'],
      ['-h'],
      ['watch', '-h'],
      ['help', 'watch'],
      ['watch', '--nope', '--help'],
      ['help', '--help'],
    ].map((args) => runProgram(t, args)),
  )
  for (const { code, stderr } of [all!, again!, short!, watch!, helped!, asked!, help!]) t.same([code, stderr], [0, ''])
  for (const name of NAMES) t.match(all!.stdout, new RegExp(`^ {2}${name} +[a-z]`, 'm'))
  t.same([again!.stdout, short!.stdout], [all!.stdout, all!.stdout])
  t.match(watch!.stdout, /^Usage: pipegate watch URL \[flags\]\n/)
  t.same([helped!.stdout, asked!.stdout], [watch!.stdout, watch!.stdout])
  t.match(help!.stdout, /^Usage: pipegate help \[COMMAND\]\n/)
  for (const { stdout } of [all!, watch!]) {
    for (const line of stdout.split('\n')) t.ok(line.length <= 100 && !/\s$|\u001b/.test(line), line)
  }
})

t.test('a help fits into the terminal', async (t) => {
  for (const name of NAMES) {
    const description = await descriptionOf(name)
    const copied = new Set(description.examples.flatMap(({ run }) => run.split('\n').map((line) => `  ${line}`)))
    for (const width of [60, 80, 100]) {
      const lines = helpText(description, { ...PLAIN, width }).split('\n')
      const long = lines.filter((line) => line.length > width && !copied.has(line))
      t.same(long, [], `${name} in ${width} columns`)
    }
  }
})

t.test('the version in every way to ask for it', async (t) => {
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
  for (const args of [['version'], ['--version'], ['-V'], ['watch', '-V'], ['serve', '--version']]) {
    const { code, stdout, stderr } = await runProgram(t, args)
    t.same([code, stdout, stderr], [0, `${version}\n`, ''], args.join(' '))
  }
})

t.test('what is misspelled', async (t) => {
  const cases: readonly [string[], string][] = [
    [['wacth', 'u'], 'unknown command "wacth"; did you mean pipegate watch?'],
    [['Doctor'], 'unknown command "Doctor"; did you mean pipegate doctor?'],
    [['frobnicate'], 'unknown command "frobnicate"; pipegate help lists the commands'],
    [['https://u:SECRET@h/a'], 'unknown command "https://…@h/a"; pipegate help lists the commands'],
    [['--token=SECRET', 'watch'], 'found the flag --token where the command has to be; did you mean pipegate token?'],
    [['--\u001b[2J'], 'found the flag --\\u001b[2J where the command has to be; pipegate help lists the commands'],
    [['__proto__'], 'unknown command "__proto__"; pipegate help lists the commands'],
    [['constructor'], 'unknown command "constructor"; pipegate help lists the commands'],
  ]
  for (const [[name], line] of cases)
    t.throws(() => findCommand(PROGRAM, name!), { name: WrongUsage.name, message: line })
  for (const [args, line] of sample(cases, 3)) {
    const { code, stdout, stderr } = await runProgram(t, args)
    t.same([code, stdout, stderr], [2, '', `pipegate: ${line}\n`])
  }
  const { code, stderr } = await runProgram(t, ['help', 'wacth'])
  t.equal(code, 2)
  t.match(stderr, /^pipegate: unknown command "wacth"; did you mean pipegate watch\?\nusage: pipegate help \[COMMAND\]/)
})

t.test('bold headings on a terminal only, and never under NO_COLOR', async (t) => {
  const onTerminal = async (variables: string) => {
    // Without what the tester's own terminal can show, and tap says about colours.
    const command = `env -i PATH="$PATH" ${variables} ${process.execPath} dist/gateway/main.js help watch`
    const program = new Program(t, ['-qec', command, '/dev/null'], { command: ['script'] })
    return (await program.ends(20_000)).stdout
  }
  t.match(await onTerminal('TERM=xterm-256color'), /^\u001b\[1mUsage:\u001b\[22m pipegate watch/)
  t.match(await onTerminal('TERM=xterm-256color NO_COLOR=1'), /^Usage: pipegate watch/)
  t.match(await onTerminal('TERM=xterm-256color FORCE_COLOR=1 NO_COLOR=1'), /^Usage: pipegate watch/)
  t.match(await onTerminal('TERM=dumb'), /^Usage: pipegate watch/)
})

t.test('nobody reads the output', async (t) => {
  // The writing end of a pipe whose reading end has been closed.
  const pipe = join(t.testdir(), 'pipe')
  const script = `mkfifo ${pipe}; exec 4<>${pipe} 5>${pipe} 4<&-; ${process.execPath} dist/gateway/main.js help serve >&5; echo $?`
  const program = new Program(t, ['-c', script], { command: ['bash'] })
  t.equal((await program.ends(20_000)).stdout, '141\n')
})

t.test('nothing is loaded that is not asked for', async (t) => {
  const dir = t.testdir({ 'hook.mjs': HOOK })
  const hook = join(dir, 'hook.mjs')
  const loaded = async (args: string[]) => {
    const at = join(dir, 'loaded')
    await runProgram(t, args, { env: { LOADED: at }, command: [process.execPath, '--import', hook, MAIN_FILE] })
    return readFileSync(at, 'utf8')
      .split('\n')
      .filter((each) => each.includes('/dist/'))
      .map((each) => each.split('/dist/')[1]!)
  }
  const forToken = await loaded(['token'])
  t.ok(forToken.includes('client/token/command.js'), 'modules are seen')
  const engine = /^core\/|^gateway\/(?:uws|native|serve\/(?!package-version|v8)|router|host|log)|^plugins\/bundled/
  for (const args of [['token', '--help'], ['help'], ['watch', 'nothing'], ['version']]) {
    t.same(
      (await loaded(args)).filter((each) => engine.test(each)),
      [],
      args.join(' '),
    )
  }
  const folders = readdirSync(join(PROJECT, 'client'), { withFileTypes: true }).filter((each) => each.isDirectory())
  for (const { name } of folders.filter(({ name }) => Object.hasOwn(PROGRAM.commands, name))) {
    const files = await loaded([name, ...(ARGUMENTS[name] ?? ['http://[/x'])])
    const commands = files.filter((each) => /^client\/\w+\/command\.js$/.test(each) && each !== 'client/cli/command.js')
    t.same(commands, [`client/${name}/command.js`], `${name} loads no code of another command`)
  }
  t.same(
    (await loaded(['help'])).filter((each) => each.endsWith('/command.js') && each !== 'client/cli/command.js'),
    [],
  )
})

/** With what a command is loaded and has not much to do, where an address that is none would not be understood. */
const ARGUMENTS: Readonly<Record<string, string[]>> = {
  token: [],
  link: ['http://h/a', '--secret-file', '/nowhere', '--right', 'watch'],
}

const MAIN_FILE = join(PROJECT, 'dist/gateway/main.js')
/** Writes down every module that is loaded. */
const HOOK = `
import { register } from 'node:module'
import { appendFileSync, writeFileSync } from 'node:fs'
writeFileSync(process.env.LOADED, '')
register('data:text/javascript,' + encodeURIComponent(\`
  import { appendFileSync } from 'node:fs'
  export async function load(url, context, next) { appendFileSync(process.env.LOADED, url + '\\\\n'); return next(url, context) }
\`))
`
