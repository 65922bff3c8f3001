/** Command lines that are understood, and those that are not. */

import t from 'tap'
import { type FlagValues, loadConfig, parseCommandLine, UsageError } from '../../../gateway/config/config.js'
import { flagOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { refusal } from './load.js'

/** The message of a refused command line. */
function usage(...argv: string[]): UsageError {
  try {
    parseCommandLine(argv)
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
  throw new Error('the command line was accepted')
}

t.test('command lines', async (t) => {
  const off = { printConfig: false, help: false, version: false }
  const serve = (values: FlagValues, switches = {}) => ({ command: 'serve', values, switches: { ...off, ...switches } })
  const cases: readonly [string, object][] = [
    ['serve', serve({})],
    ['serve --port 81 --log-level=debug', serve({ port: '81', logLevel: 'debug' })],
    ['--port 81 serve', serve({ port: '81' })],
    ['serve --port 81 --port=82', serve({ port: '82' })],
    ['serve --config a.yaml', serve({ config: 'a.yaml' })],
    ['serve --host=-x --prefix=', serve({ host: '-x', prefix: '' })],
    ['serve --tls-cert -', serve({ tlsCert: '-' })],
    ['serve --bare-names', serve({ bareNames: 'true' })],
    ['serve --no-bare-names', serve({ bareNames: 'false' })],
    ['serve --bare-names=false', serve({ bareNames: 'false' })],
    ['serve --no-bare-names --bare-names', serve({ bareNames: 'true' })],
    ['serve --print-config', serve({}, { printConfig: true })],
    ['--print-config --wait 5', serve({ wait: '5' }, { printConfig: true })],
    ['--help', serve({}, { help: true })],
    ['-h', serve({}, { help: true })],
    ['--version', serve({}, { version: true })],
    ['-- serve', serve({})],
  ]
  for (const [line, wanted] of cases) t.strictSame(parseCommandLine(line.split(' ')), wanted, line)
  for (const key of SETTING_KEYS) {
    t.strictSame(parseCommandLine(['serve', `${flagOf(key)}=x`]).values, { [key]: 'x' }, flagOf(key))
  }
})

t.test('command lines that cannot be understood', async (t) => {
  const cases: readonly [string, string][] = [
    ['serve --prot 81', 'unknown flag --prot; did you mean --port?'],
    ['serve --logLevel debug', 'unknown flag --logLevel; did you mean --log-level?'],
    ['serve --verbose', 'unknown flag --verbose'],
    ['serve --constructor', 'unknown flag --constructor'],
    ['serve --__proto__=1', 'unknown flag --__proto__'],
    ['serve -p 80', 'unknown flag -p'],
    ['serve --no-port', 'unknown flag --no-port; did you mean --port?'],
    ['serve --no-help', 'unknown flag --no-help; did you mean --help?'],
    ['serve --port', '--port needs a value'],
    ['serve --config --port 80', '--config needs a value; if "--port" is one, write it as --config=VALUE'],
    ['serve --port -1', '--port needs a value; if "-1" is one, write it as --port=VALUE'],
    ['serve --help=yes', '--help takes no value'],
    ['serve --no-bare-names=1', '--no-bare-names takes no value'],
    ['serve --bare-names false', 'unexpected argument "false"'],
    ['serve now', 'unexpected argument "now"'],
    ['serve serve', 'unexpected argument "serve"'],
    ['run', 'unknown command "run"; the commands are serve, check, health'],
    ['serv', 'unknown command "serv"; did you mean serve?'],
    ['--port 80', 'no command given; to start the server: pipegate serve'],
  ]
  for (const [line, message] of cases) {
    const error = usage(...line.split(' '))
    t.match(
      { message: error.message, exitCode: error.exitCode, showHelp: error.showHelp },
      {
        message,
        exitCode: 2,
        showHelp: false,
      },
    )
    t.equal(error.message, message)
  }
  const nothing = usage()
  t.ok(nothing.showHelp, 'pipegate alone prints the help')
  t.equal(nothing.exitCode, 2)
})

t.test('a flag reaches the configuration', async (t) => {
  const { values } = parseCommandLine(['serve', '--no-bare-names', '--port', '81'])
  t.match(loadConfig({ flags: values, env: { PIPEGATE_BARE_NAMES: 'true' } }), { bareNames: false, port: 81 })
  t.equal(refusal(parseCommandLine(['serve', '--bare-names=maybe']).values).problems[0]?.where, '--bare-names')
})
