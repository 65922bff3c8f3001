/** Command lines, read by a description. */

import t from 'tap'
import { describe } from '../../../client/cli/description.js'
import { argument, list, on, single, toggle } from '../../../client/cli/flags.js'
import { readCommandLine } from '../../../client/cli/read.js'
import { choice, directory, file, seconds, secret, text, whole } from '../../../client/cli/values.js'
import { WrongUsage } from '../../../client/cli/wrong-usage.js'

const TEXTS = { summary: '', section: 'Transfers', about: [], examples: [], exits: {} } as const
const yesOrNo = { ...choice('true', 'false'), metavar: 'BOOL' }

const SEND = describe({
  ...TEXTS,
  name: 'send',
  arguments: { url: argument(secret('URL'), ''), files: argument(file(), '', { optional: true, repeated: true }) },
  flags: {
    receivers: single(whole(1, 256), '', { short: 'n', fallback: '1' }),
    keepAlive: toggle(yesOrNo, ''),
    mode: single(choice('live', 'once', 'topic'), '', { short: 'm' }),
    timeout: single(seconds(1, 2_000_000), ''),
    token: single(secret('TOKEN'), ''),
    header: list(secret('LINE'), '', { short: 'H' }),
    into: single(directory(), ''),
    json: on('', { short: 'j' }),
    quiet: on('', { short: 'q' }),
  },
})

const NOTHING = {
  receivers: 1,
  keepAlive: undefined,
  mode: undefined,
  timeout: undefined,
  token: undefined,
  header: [],
  into: undefined,
  json: false,
  quiet: false,
  url: 'u',
  files: [],
}

t.test('what is understood', async (t) => {
  const cases: readonly [string, object][] = [
    ['u', {}],
    ['u --receivers 3', { receivers: 3 }],
    ['--receivers=3 u', { receivers: 3 }],
    ['u -n 3', { receivers: 3 }],
    ['u -n3', { receivers: 3 }],
    ['u -jqn3', { json: true, quiet: true, receivers: 3 }],
    ['u -qj -m live', { json: true, quiet: true, mode: 'live' }],
    ['u -n 2 --receivers 4', { receivers: 4 }],
    ['u -H a:1 --header b:2 -Hc:3', { header: ['a:1', 'b:2', 'c:3'] }],
    ['u --keep-alive', { keepAlive: 'true' }],
    ['u --no-keep-alive', { keepAlive: 'false' }],
    ['u --keep-alive=false', { keepAlive: 'false' }],
    ['u --no-keep-alive --keep-alive', { keepAlive: 'true' }],
    ['u --token=-x', { token: '-x' }],
    ['u --token=', { token: '' }],
    ['u --into -', { into: '-' }],
    ['u a b', { files: ['a', 'b'] }],
    ['u - -q', { files: ['-'], quiet: true }],
    ['u -q -- --json -n', { quiet: true, files: ['--json', '-n'] }],
    ['-- u', {}],
  ]
  for (const [line, wanted] of cases) {
    t.strictSame({ ...(readCommandLine(SEND, line.split(' ')) as object) }, { ...NOTHING, ...wanted }, line)
  }
})

t.test('help and version outrank what is wrong', async (t) => {
  for (const line of ['--help', '-h', 'u --nope --help', '-qh', 'a b --receivers x -h']) {
    t.equal(readCommandLine(SEND, line.split(' ')), 'help', line)
  }
  for (const line of ['--version', '-V', 'u -V']) t.equal(readCommandLine(SEND, line.split(' ')), 'version', line)
  t.match(readCommandLine(SEND, ['--', '--help']), { url: '--help' }, 'behind -- it is a word')
})

t.test('what is not', async (t) => {
  const cases: readonly [string, string][] = [
    ['', 'URL is missing'],
    ['u --recievers 3', 'unknown flag --recievers; did you mean --receivers?'],
    ['u --tokn=SECRET', 'unknown flag --tokn; did you mean --token?'],
    ['u --keepAlive', 'unknown flag --keepAlive; did you mean --keep-alive?'],
    ['u --hlep', 'unknown flag --hlep; did you mean --help?'],
    ['u --no-json', 'unknown flag --no-json; did you mean --json?'],
    ['u --frobnicate', 'unknown flag --frobnicate'],
    ['u --constructor', 'unknown flag --constructor'],
    ['u --__proto__=1', 'unknown flag --__proto__'],
    ['u -x', 'unknown flag -x'],
    ['u -qx', 'unknown flag -x'],
    ['u --\u001b[2J', 'unknown flag --\\u001b[2J'],
    ['u --receivers', '--receivers needs a value'],
    ['u -n', '-n needs a value'],
    ['u --receivers --quiet', '--receivers needs a value; if "--quiet" is one, write it as --receivers=VALUE'],
    ['u -n -1', '-n needs a value; if "-1" is one, write it as -nVALUE'],
    ['u --token -SECRET', '--token needs a value; if what follows is one, write it as --token=VALUE'],
    ['u --receivers=0', '--receivers: found "0", expected a whole number from 1 to 256'],
    ['u --receivers=2abc', '--receivers: found "2abc", expected a whole number from 1 to 256'],
    ['u --receivers=', '--receivers: found "", expected a whole number from 1 to 256'],
    ['u -n1e3', '-n: found "1e3", expected a whole number from 1 to 256'],
    ['u --timeout=1.5', '--timeout: found "1.5", expected a whole number of seconds from 1 to 2000000'],
    ['u --mode lvie', '--mode: found "lvie", expected one of live, once, topic; did you mean live?'],
    ['u --mode x', '--mode: found "x", expected one of live, once, topic'],
    ['u --into=', '--into: found "", expected the path of a folder'],
    ['u --keep-alive=SECRET', '--keep-alive: found "SECRET", expected one of true, false'],
    ['u --no-keep-alive=1', '--no-keep-alive takes no value'],
    ['u --json=SECRET', '--json takes no value'],
    ['u --help=yes', '--help takes no value'],
  ]
  for (const [line, message] of cases) {
    const read = () => readCommandLine(SEND, line.split(' ').filter(Boolean))
    t.equal((t.throws(read) as Error).message, message, line)
    t.throws(read, WrongUsage)
  }
})

t.test('which words are which arguments', async (t) => {
  const read = (wanted: Parameters<typeof describe>[0]['arguments'], line: string) =>
    readCommandLine(describe({ ...TEXTS, name: 'x', flags: {}, arguments: wanted }), line.split(' ').filter(Boolean))
  const a = argument(text('A'), '')
  const b = argument(text('B'), '')
  const maybe = argument(text('M'), '', { optional: true })
  const many = argument(file(), '', { repeated: true })
  t.same(read({ a, b }, '1 2'), { a: '1', b: '2' })
  t.same(read({ a, maybe }, '1'), { a: '1', maybe: undefined })
  t.same(read({ maybe, a }, '1'), { maybe: undefined, a: '1' }, 'a required one comes first')
  t.same(read({ maybe, a }, '1 2'), { maybe: '1', a: '2' })
  t.same(read({ many, a }, '1 2 3'), { many: ['1', '2'], a: '3' })
  t.same(read({ a, many }, '1 2'), { a: '1', many: ['2'] })
  t.throws(() => read({ many, a }, '1'), { message: 'A is missing' })
  t.throws(() => read({ a, b }, '1'), { message: 'B is missing' })
  t.throws(() => read({ a }, '1 2'), { message: 'unexpected argument "2"' })
  t.throws(() => read({}, 'now'), { message: 'unexpected argument "now"' })
  const url = argument(secret('URL'), '')
  t.throws(() => read({ url }, 'u SECRET'), { message: 'found 2 arguments, expected 1: URL' })
})

t.test('a flag that has to be there', async (t) => {
  const link = describe({
    ...TEXTS,
    name: 'link',
    arguments: {},
    flags: { secretFile: single(file(), '', { required: true }) },
  })
  t.same(readCommandLine(link, ['--secret-file', 'f']), { secretFile: 'f' })
  t.throws(() => readCommandLine(link, []), { message: '--secret-file FILE is missing' })
})
