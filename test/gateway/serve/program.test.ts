/** The command line of the program. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { flagOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { curlDone } from '../../support/curl.js'
import { freePort } from '../../support/free-port.js'
import { PROJECT, Program, runProgram, startProgram } from '../../support/program.js'
import { lines, VERSION } from './process.js'

// Most of these wait for processes; two cores run several of them as fast as one.
t.jobs = 2

t.test('--version prints the version of the package, serve --help every flag', async (t) => {
  const version = await runProgram(t, ['--version'])
  t.same([version.code, version.stdout, version.stderr], [0, `${VERSION}\n`, ''])
  for (const flag of ['--help', '-h']) {
    const help = await runProgram(t, ['serve', flag])
    t.same([help.code, help.stderr], [0, ''])
    t.match(help.stdout, /^Usage: pipegate serve /)
    const words = help.stdout.replaceAll('[no-]', '').split(/\s+/)
    const missing = [...SETTING_KEYS, 'config', 'printConfig'].map(flagOf).filter((name) => !words.includes(name))
    t.same(missing, [], 'every flag is explained')
  }
})

t.test('--print-config prints what --config takes', async (t) => {
  const file = join(t.testdir(), 'printed.yaml')
  const given = ['--port', '9', '--drain=7', '--window', '2MiB', '--no-bare-names', '--log-level', 'warn']
  const first = await runProgram(t, ['serve', '--print-config', ...given], { env: { PIPEGATE_WAIT: '11' } })
  t.same([first.code, first.stderr], [0, ''])
  const found = parse(first.stdout)
  t.same(Object.keys(found), [...SETTING_KEYS])
  t.match(found, { port: 9, drain: 7, window: '2MiB', bareNames: false, logLevel: 'warn', wait: 11 })
  t.match(first.stdout, /^drain: 7 # flag --drain$/m)
  t.match(first.stdout, /^wait: 11 # env PIPEGATE_WAIT$/m)
  t.match(first.stdout, /^idle: 3600 # default$/m)
  writeFileSync(file, first.stdout)
  const second = await runProgram(t, ['serve', '--print-config', '--config', file])
  t.same([second.code, second.stderr], [0, ''])
  t.same(parse(second.stdout), found)
  t.ok(second.stdout.includes(`drain: 7 # file ${file}\n`), second.stdout)
})

t.test('a command line that cannot be understood: a line, the usage, and exit code 2', async (t) => {
  const wrong: [args: string[], line: RegExp][] = [
    [['serve', '--prot', '1'], /unknown flag --prot; did you mean --port\?/],
    [['serve', '--port'], /--port needs a value/],
    [['serve', '--config', '--port', '1'], /--config needs a value/],
    [['serve', 'twice'], /unexpected argument "twice"/],
    [['sevre'], /unknown command "sevre"/],
    [['--port', '0'], /found the flag --port where the command has to be; pipegate help lists the commands/],
    [['serve', '--version=1'], /--version takes no value/],
  ]
  for (const [args, line] of wrong) {
    const exit = await runProgram(t, args)
    const usage = args[0] === 'serve' ? ['usage: pipegate serve [flags]; pipegate serve --help tells more'] : []
    t.same([exit.code, exit.stdout, lines(exit.stderr).slice(1)], [2, '', usage], `${args.join(' ')}: ${exit.stderr}`)
    t.match(exit.stderr, /^pipegate: /)
    t.match(exit.stderr, line)
  }
  const nothing = await runProgram(t, [])
  t.same([nothing.code, nothing.stdout], [2, ''])
  t.match(nothing.stderr, /^Usage: /)
})

t.test('a wrong configuration: all of its problems and exit code 1', async (t) => {
  const file = join(t.testdir({ 'wrong.yaml': 'drain: -3\nprot: 80\n' }), 'wrong.yaml')
  const args = ['serve', '--port', '99999', '--config', file]
  const exit = await runProgram(t, args, { env: { PIPEGATE_WAIT: '0', PIPEGATE_HOTS: '::' } })
  t.same([exit.code, exit.stdout], [1, ''])
  const [head, ...problems] = lines(exit.stderr)
  t.equal(head, 'pipegate: configuration: 5 problems')
  const expected = [
    /--port.*99999/,
    /PIPEGATE_WAIT.*"0"/,
    /PIPEGATE_HOTS.*HOST\?/,
    /wrong\.yaml: drain.*-3/,
    /"prot".*"port"/,
  ]
  for (const line of expected) t.equal(problems.filter((problem) => line.test(problem)).length, 1, `${line}`)

  const missing = await runProgram(t, ['serve', '--config', join(PROJECT, 'no-such.yaml')])
  t.same([missing.code, missing.stdout, lines(missing.stderr).length], [1, '', 1])
  t.match(missing.stderr, /^pipegate: configuration: --config: .*no-such\.yaml.*ENOENT/)
})

t.test('flags outrank variables, and variables the file', async (t) => {
  const config = join(t.testdir({ 'pipegate.yaml': 'prefix: /file\nwait: 40\n' }), 'pipegate.yaml')
  const env = { PIPEGATE_CONFIG: config, PIPEGATE_PREFIX: '/variable', PIPEGATE_PORT: '1', PIPEGATE_HOST: '127.0.0.1' }
  const program = await startProgram(t, [], { env: { ...env, PIPEGATE_LOG_LEVEL: 'info' } })
  t.match(program.base, /^http:\/\/127\.0\.0\.1:\d+\/variable\/$/)
  t.not(program.port, 1)
  t.equal((await curlDone(['-o', '/dev/null', '-w', '%{http_code}', program.url('health')])).stdout.toString(), '200')
  const byVariables = new Program(t, ['serve'], { env: { ...env, PIPEGATE_PORT: `${await freePort()}` } })
  await byVariables.waitForLog('listening')
  t.not(byVariables.port, program.port)
})
