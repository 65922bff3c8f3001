/** How problems are reported, and what they must not show. */

import { join } from 'node:path'
import t from 'tap'
import { pem, refusal, refusalOf } from './load.js'

t.test('secrets are not repeated', async (t) => {
  const text = '-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n'
  const dir = t.testdir({
    'key.pem': text,
    'list.yaml': `- ${JSON.stringify(text)}`,
    'bad.yaml': `a: "MIIEvQ\n${text}`,
  })
  const messages = [
    refusal({ tlsKey: text }).message,
    refusal({}, { PIPEGATE_TLS_CERT: text }).message,
    refusal({}, {}, JSON.stringify({ tlsKey: text, [text]: 1 })).message,
    refusal({ tlsSni: `a:${text}` }).message,
    refusal({}, {}, JSON.stringify({ tlsSni: [{ cert: text, key: text }] })).message,
    refusal({ config: text }).message,
    ...['key.pem', 'list.yaml', 'bad.yaml'].map((name) => {
      return refusalOf({ flags: { config: join(dir, name) }, env: {} }).message
    }),
    refusal({ tlsKey: pem('secret.pem'), tlsCert: pem('none.pem') }).message,
    refusal({}, {}, 'port: !MIIEvQ 1').message,
    refusal({}, {}, 'port: *MIIEvQ').message,
  ]
  for (const message of messages) t.notMatch(message, /MIIEvQ|SECRET-CONTENT/, message)
})

t.test('a found value is shown on one short line', async (t) => {
  const { line } = refusal({ host: `a b\n\u001b[31m\u2028\u0085${'x'.repeat(500)}` }).problems[0]!
  t.ok(line.length < 150, line)
  const named = refusalOf({ flags: { config: 'a\n\u001b[2J' }, env: {}, readFile: () => 'port: x\nprot: 1' })
  t.equal(named.message.split('\n').length, 3)
  t.notMatch(named.message, '\u001b')
  t.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
})

t.test('all problems at once, the highest source first', async (t) => {
  const error = refusal(
    { port: '80000', window: '1GiB' },
    {
      PIPEGATE_LOG_LEVEL: 'loud',
      PIPEGATE_PROT: '1',
      PIPEGATE_PORT: 'x',
      HOME: '/',
      PIPEGATE: '1',
      pipegate_port: 'x',
    },
    'prot: 1\nport: no\nidle: 5\ntlsKey: /none\n',
  )
  t.equal(
    error.message,
    [
      'configuration: 9 problems',
      '  --port: found "80000", expected an integer from 0 to 65535',
      '  PIPEGATE_LOG_LEVEL: found "loud", expected one of trace, debug, info, warn, error, fatal, silent',
      '  PIPEGATE_PROT is unknown; did you mean PIPEGATE_PORT?',
      '  PIPEGATE_PORT: found "x", expected an integer from 0 to 65535',
      '  pipegate.yaml: key "prot" is unknown; did you mean "port"?',
      '  pipegate.yaml: port: found "no", expected an integer from 0 to 65535',
      '  --window: found window 1GiB and memory 256MiB, expected memory to be at least window',
      '  pipegate.yaml: found tlsKey without tlsCert, expected both or none',
      '  pipegate.yaml: tlsKey: found "/none" (ENOENT: no such file or directory), expected the path of a readable file',
    ].join('\n'),
  )
  t.strictSame(error.problems[0], {
    where: '--port',
    key: 'port',
    found: '"80000"',
    expected: 'an integer from 0 to 65535',
    line: '--port: found "80000", expected an integer from 0 to 65535',
  })
  t.match(error.problems[4], { where: 'pipegate.yaml', key: 'prot', found: '"prot"', expected: '"port"' })
  t.equal(error.exitCode, 1)
})

t.test('unknown keys and variables', async (t) => {
  const keys: readonly [string, string][] = [
    ['prot', '; did you mean "port"?'],
    ['log-level', '; did you mean "logLevel"?'],
    ['LOGLEVEL', '; did you mean "logLevel"?'],
    ['maxRecievers', '; did you mean "maxReceivers"?'],
    ['stallmx', '; did you mean "stallMax"?'],
    ['config', ''],
    ['toString', ''],
    ['__proto__', ''],
    ['constructor', ''],
    ['8080', ''],
    [`p${'o'.repeat(5000)}rt`, ''],
  ]
  for (const [key, hint] of keys) {
    const { problems } = refusal({}, {}, `? ${key}\n: 1\n`)
    t.equal(problems.length, 1)
    t.ok(problems[0]?.line.startsWith(`pipegate.yaml: key "${key.slice(0, 60)}`), problems[0]?.line ?? '')
    t.ok(problems[0]?.line.endsWith(` is unknown${hint}`), problems[0]?.line ?? '')
  }
  t.equal(refusal({}, {}, 'prot:').problems.length, 1, 'also without a value')
  t.equal(refusal({}, {}, '? [a, b]\n: 1').problems.length, 1)
  const variables: readonly [string, string][] = [
    ['PIPEGATE_LOGLEVEL', '; did you mean PIPEGATE_LOG_LEVEL?'],
    ['PIPEGATE_port', '; did you mean PIPEGATE_PORT?'],
    ['PIPEGATE_SERVICE_ACCOUNT', ''],
    ['PIPEGATE_PRINT_CONFIG', ''],
    ['PIPEGATE_', ''],
    ['PIPEGATE_toString', ''],
  ]
  for (const [name, hint] of variables) {
    t.equal(refusal({}, { [name]: '1' }).message, `configuration: ${name} is unknown${hint}`)
  }
})
