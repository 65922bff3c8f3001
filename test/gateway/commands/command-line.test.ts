/** The command lines of the commands that take the configuration: their flags are the settings. */

import t from 'tap'
import { WrongUsage } from '../../../client/cli/wrong-usage.js'
import { CHECK, HEALTH, SERVE } from '../../../gateway/commands/descriptions.js'
import { flagValues } from '../../../gateway/commands/settings-flags.js'
import { type FlagValues, loadConfig } from '../../../gateway/config/config.js'
import { flagOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { valuesOf } from '../../client/cli/line.js'
import { refusal } from '../config/load.js'

function read(line: string): FlagValues {
  return flagValues(valuesOf(SERVE, line.split(' ').filter(Boolean)))
}

t.test('command lines', async (t) => {
  const cases: readonly [string, FlagValues][] = [
    ['', {}],
    ['--port 81 --log-level=debug', { port: '81', logLevel: 'debug' }],
    ['--port 81 --port=82', { port: '82' }],
    ['--config a.yaml', { config: 'a.yaml' }],
    ['-c a.yaml', { config: 'a.yaml' }],
    ['--host=-x --prefix=', { host: '-x', prefix: '' }],
    ['--tls-cert -', { tlsCert: '-' }],
    ['--bare-names', { bareNames: 'true' }],
    ['--no-bare-names', { bareNames: 'false' }],
    ['--bare-names=false', { bareNames: 'false' }],
    ['--no-bare-names --bare-names', { bareNames: 'true' }],
    ['--print-config --wait 5', { wait: '5' }],
  ]
  for (const [line, wanted] of cases) t.strictSame(read(line), wanted, line)
  for (const key of SETTING_KEYS) t.strictSame(read(`${flagOf(key)}=x`), { [key]: 'x' }, flagOf(key))
  t.equal(valuesOf(SERVE, ['--print-config']).printConfig, true)
  for (const other of [CHECK, HEALTH]) t.equal(other.flags, SERVE.flags, 'the same flags')
})

t.test('command lines that cannot be understood', async (t) => {
  const cases: readonly [string, string][] = [
    ['--prot 81', 'unknown flag --prot; did you mean --port?'],
    ['--logLevel debug', 'unknown flag --logLevel; did you mean --log-level?'],
    ['--verbose', 'unknown flag --verbose'],
    ['--constructor', 'unknown flag --constructor'],
    ['--__proto__=1', 'unknown flag --__proto__'],
    ['-p 80', 'unknown flag -p'],
    ['--no-port', 'unknown flag --no-port; did you mean --port?'],
    ['--no-help', 'unknown flag --no-help; did you mean --help?'],
    ['--port', '--port needs a value'],
    ['--config --port 80', '--config needs a value; if "--port" is one, write it as --config=VALUE'],
    ['--port -1', '--port needs a value; if "-1" is one, write it as --port=VALUE'],
    ['--help=yes', '--help takes no value'],
    ['--no-bare-names=1', '--no-bare-names takes no value'],
    ['--bare-names false', 'unexpected argument "false"'],
    ['now', 'unexpected argument "now"'],
  ]
  for (const [line, message] of cases) {
    const error = t.throws(() => read(line), WrongUsage) as Error
    t.equal(error.message, message)
  }
})

t.test('a flag reaches the configuration', async (t) => {
  const flags = read('--no-bare-names --port 81')
  t.match(loadConfig({ flags, env: { PIPEGATE_BARE_NAMES: 'true' } }), { bareNames: false, port: 81 })
  t.equal(refusal(read('--bare-names=maybe')).problems[0]?.where, '--bare-names')
})

t.test("variables of the client's commands are no settings", async (t) => {
  t.equal(loadConfig({ flags: {}, env: { PIPEGATE_TOKEN: 'x', PIPEGATE_URL: 'http://h' } }).port, 8080)
})
