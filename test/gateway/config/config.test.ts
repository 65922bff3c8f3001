import { readFileSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import {
  type Config,
  ConfigError,
  type FlagValues,
  helpText,
  loadConfig,
  loadConfigWithOrigins,
  parseCommandLine,
  renderConfig,
  type SettingKey,
  type Sources,
  settingsMarkdown,
  UsageError,
} from '../../../gateway/config/config.js'
import { flagOf, SWITCHES, variableOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'

type Env = Sources['env']

/** A configuration whose file, if any, is called pipegate.yaml and holds `file`. */
function load(flags: FlagValues = {}, env: Env = {}, file?: string): Config {
  return loadConfig(sources(flags, env, file))
}

function sources(flags: FlagValues, env: Env, file: string | undefined): Sources {
  if (file === undefined) return { flags, env }
  return { flags: { config: 'pipegate.yaml', ...flags }, env, readFile: () => file }
}

/** The error that a refused configuration ends in. */
function refusal(flags: FlagValues = {}, env: Env = {}, file?: string): ConfigError {
  return refusalOf(sources(flags, env, file))
}

function refusalOf(given: Sources): ConfigError {
  try {
    loadConfig(given)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

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

/** Long enough, and with enough spaces, for a YAML printer to fold it. */
const LONG_NAME = `${'a long name '.repeat(15)}.pem`

const tls = t.testdir({
  [LONG_NAME]: 'L',
  'a.pem': 'A',
  'b.pem': 'B',
  'c.pem': 'C',
  'secret.pem': 'SECRET-CONTENT',
  folder: {},
})
const pem = (name: string) => join(tls, name)

/** For each setting its default, and what to write in the file, a variable and a flag, each with what it means. */
type Ranks<T> = readonly [fallback: T, file: [string, T], env: [string, T], flag: [string, T]]

const RANKS: { readonly [K in SettingKey]-?: Ranks<Config[K]> } = {
  port: [8080, ['1', 1], ['2', 2], ['0', 0]],
  host: ['127.0.0.1', ['"::1"', '::1'], ['localhost', 'localhost'], ['0.0.0.0', '0.0.0.0']],
  prefix: ['/api/v1/pipe', ['/a', '/a'], ['/b/', '/b'], ['off', '']],
  bareNames: [true, ['no', false], ['ON', true], ['false', false]],
  logLevel: ['info', ['trace', 'trace'], ['warn', 'warn'], ['silent', 'silent']],
  logFormat: ['auto', ['json', 'json'], ['pretty', 'pretty'], ['auto', 'auto']],
  tlsCert: [undefined, [pem('a.pem'), pem('a.pem')], [pem('b.pem'), pem('b.pem')], [pem('c.pem'), pem('c.pem')]],
  tlsKey: [undefined, [pem('a.pem'), pem('a.pem')], [pem('b.pem'), pem('b.pem')], [pem('c.pem'), pem('c.pem')]],
  tlsSni: [
    [],
    [`"${pem('a.pem')}:${pem('b.pem')}"`, [{ cert: pem('a.pem'), key: pem('b.pem') }]],
    [`${pem('b.pem')}:${pem('c.pem')}`, [{ cert: pem('b.pem'), key: pem('c.pem') }]],
    [
      `${pem('a.pem')}:${pem('a.pem')}, ${pem('c.pem')}:${pem('b.pem')}`,
      [
        { cert: pem('a.pem'), key: pem('a.pem') },
        { cert: pem('c.pem'), key: pem('b.pem') },
      ],
    ],
  ],
  redirectPort: [undefined, ['81', 81], ['82', 82], ['0', 0]],
  drain: [30, ['0', 0], ['86400', 86_400], ['5', 5]],
  wait: [300, ['1', 1], ['3600', 3600], ['7', 7]],
  idle: [3600, ['0', 0], ['604800', 604_800], ['8', 8]],
  minRate: [0, ['1', 1], ['10kB', 10_000], ['2MiB', 2_097_152]],
  minRatePeriod: [60, ['1', 1], ['86400', 86_400], ['9', 9]],
  stallMax: [0, ['1', 1], ['86400', 86_400], ['9', 9]],
  window: [1_048_576, ['65536', 65_536], ['2MiB', 2_097_152], ['100kB', 100_000]],
  memory: [268_435_456, ['1MiB', 1_048_576], ['2GB', 2e9], ['2000000', 2e6]],
  maxReceivers: [256, ['1', 1], ['2', 2], ['3', 3]],
  maxWaiting: [10_000, ['1', 1], ['2', 2], ['3000000', 3_000_000]],
  maxActive: [10_000, ['1', 1], ['2', 2], ['3', 3]],
  decide: [10, ['1', 1], ['60', 60], ['9', 9]],
  trustedProxies: ['', ['10.0.0.0/8', '10.0.0.0/8'], ['::1', '::1'], ['127.0.0.1, fd00::/8', '127.0.0.1, fd00::/8']],
  reply: ['stream', ['end', 'end'], ['stream', 'stream'], ['end', 'end']],
  failedEnd: ['cut', ['clean', 'clean'], ['cut', 'cut'], ['clean', 'clean']],
  socketHelper: [true, ['no', false], ['ON', true], ['false', false]],
}

/** What has to be set as well for a key to be good: a certificate goes with a key. */
function companion(key: SettingKey): Env {
  if (key === 'tlsCert') return { PIPEGATE_TLS_KEY: pem('a.pem') }
  if (key === 'tlsKey') return { PIPEGATE_TLS_CERT: pem('a.pem') }
  const needsBoth = key === 'tlsSni' || key === 'redirectPort'
  return needsBoth ? { PIPEGATE_TLS_CERT: pem('a.pem'), PIPEGATE_TLS_KEY: pem('a.pem') } : {}
}

t.test('a flag outranks a variable, a variable the file, and the file the default', async (t) => {
  t.strictSame(Object.keys(RANKS), [...SETTING_KEYS], 'every setting is here')
  for (const key of SETTING_KEYS) {
    const [fallback, file, env, flag] = RANKS[key]
    const text = `${key}: ${file[0]}`
    const around = companion(key)
    const variable = { ...around, [variableOf(key)]: env[0] }
    const look = (flags: FlagValues, given: Env, content?: string) => {
      const { config, origins } = loadConfigWithOrigins(sources(flags, given, content))
      return [config[key], `${origins[key].source} ${origins[key].name}`]
    }
    t.strictSame(look({}, {}), [fallback, 'default default'], `${key}: default`)
    t.strictSame(look({}, around, text), [file[1], 'file pipegate.yaml'], `${key}: file`)
    t.strictSame(look({}, variable, text), [env[1], `env ${variableOf(key)}`], `${key}: env over file`)
    t.strictSame(look({ [key]: flag[0] }, variable, text), [flag[1], `flag ${flagOf(key)}`], `${key}: flag over all`)
    t.strictSame(look({ [key]: flag[0] }, around, text), [flag[1], `flag ${flagOf(key)}`], `${key}: flag over file`)
  }
})

t.test('names of flags and variables', async (t) => {
  t.equal(flagOf('logLevel'), '--log-level')
  t.equal(variableOf('logLevel'), 'PIPEGATE_LOG_LEVEL')
  t.equal(variableOf('stallMax'), 'PIPEGATE_STALL_MAX')
})

t.test('the configuration cannot be changed afterwards', async (t) => {
  const { config, origins } = loadConfigWithOrigins({ flags: {}, env: {} })
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(origins))
})

const INTEGERS = (min: number, max: number) =>
  ['', ' 1', '1 ', '+1', '-1', '1.5', '1e3', '0x10', '2abc', 'NaN'].concat(
    min > 0 ? [String(min - 1)] : [],
    max < Number.MAX_SAFE_INTEGER ? [String(max + 1)] : ['9007199254740993', '9'.repeat(400)],
  )

/** For each setting the texts that are refused as a flag. */
const REFUSED: { readonly [K in SettingKey]: readonly string[] } = {
  port: INTEGERS(0, 65_535),
  host: ['', ' ', 'a b', 'a\n', 'a\u0000'],
  prefix: [
    '/',
    'api',
    'api/',
    '//',
    '/a//',
    '/a//b',
    '//a',
    '/a?b',
    '/a?',
    '/a#b',
    '/./a',
    '/a/.',
    '/a/..',
    '/../a',
    '/a%20b',
    '/a%',
    '/a b',
    '/a\\b',
    '/ü',
    '/a\n',
    ' /a',
    'none',
    'false',
  ],
  bareNames: ['', 'maybe', '2', 'y', ' true', 'enabled'],
  logLevel: ['', 'loud', 'INFO', 'info ', 'off'],
  logFormat: ['', 'text', 'Auto'],
  tlsCert: ['', 'a\nb'],
  tlsKey: ['', 'a\nb'],
  tlsSni: ['a', ':a', 'a:', 'a:b:c', 'a:b,', 'a:b\nc:d', 'a:b,,c:d'],
  redirectPort: INTEGERS(0, 65_535),
  drain: INTEGERS(0, 86_400).concat('30s'),
  wait: INTEGERS(1, 3600),
  idle: INTEGERS(0, 604_800),
  minRate: ['', '-1', '1.5', 'fast', '1 B/s'],
  minRatePeriod: INTEGERS(1, 86_400),
  stallMax: INTEGERS(0, 86_400),
  window: [
    '',
    '65535',
    '63KiB',
    '65kB',
    '1025MiB',
    '2GiB',
    '-1MiB',
    '1.5MiB',
    '1TiB',
    '1 iB',
    '1ib',
    '1  MiB',
    ' 1MiB',
    '1MiB ',
    '1MiBs',
    'MiB',
    '1e6',
    '0x100000',
    '1_048_576',
    '1048576.0',
    'NaN',
  ],
  memory: ['', '0', '1048575', '1MB', '1023KiB', '99999999GiB', '1.5GiB'],
  maxReceivers: INTEGERS(1, 256),
  maxWaiting: INTEGERS(1, Number.MAX_SAFE_INTEGER),
  maxActive: INTEGERS(1, Number.MAX_SAFE_INTEGER),
  decide: INTEGERS(1, 60),
  trustedProxies: ['x', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', '10.0.0.0/8,', 'localhost'],
  reply: ['', 'later', 'End'],
  failedEnd: ['', 'dirty', 'Cut'],
  socketHelper: ['', 'maybe', '2'],
}

t.test('every refusal names the flag, the variable or the file, and the key', async (t) => {
  t.strictSame(Object.keys(REFUSED), [...SETTING_KEYS], 'every setting is here')
  for (const key of SETTING_KEYS) {
    for (const text of REFUSED[key]) {
      const problem = refusal({ [key]: text }).problems[0]
      t.match(problem, { where: flagOf(key), key }, `${flagOf(key)}=${JSON.stringify(text).slice(0, 40)}`)
      t.ok(problem?.line.startsWith(`${flagOf(key)}: found `), problem?.line ?? '')
      if (text !== '') t.match(refusal({}, { [variableOf(key)]: text }).problems[0], { where: variableOf(key), key })
      const inFile = refusal({}, {}, JSON.stringify({ [key]: text })).problems[0]
      t.match(inFile, { where: 'pipegate.yaml', key })
      t.ok(inFile?.line.startsWith(`pipegate.yaml: ${key}: found `), inFile?.line ?? '')
    }
    for (const [raw, found] of [
      ['[1]', 'a list'],
      ['{a: 1}', 'a mapping'],
    ] as const) {
      t.match(refusal({}, {}, `${key}: ${raw}`).problems[0], { key, found })
    }
  }
})

t.test('a file holds typed values; those of another type are refused', async (t) => {
  for (const line of ['port: true', 'port: 1.5', 'port: -1', 'port: .nan', 'port: .inf', 'window: 65536.5']) {
    t.equal(refusal({}, {}, line).problems.length, 1, line)
  }
  for (const line of ['host: 127', 'prefix: false', 'bareNames: 3', 'logLevel: 1', 'tlsCert: 1', 'reply: true']) {
    t.equal(refusal({}, {}, line).problems[0]?.where, 'pipegate.yaml', line)
  }
  t.match(load({}, {}, 'port: 0x10\nbareNames: false\nwindow: 1e6'), { port: 16, bareNames: false, window: 1e6 })
  t.equal(load({}, {}, 'port: "81"').port, 81, 'quoted by a template')
})

t.test('limits belong to the range', async (t) => {
  const good: readonly [SettingKey, string, unknown][] = [
    ['port', '65535', 65_535],
    ['port', '0080', 80],
    ['wait', '1', 1],
    ['wait', '3600', 3600],
    ['drain', '86400', 86_400],
    ['idle', '604800', 604_800],
    ['stallMax', '86400', 86_400],
    ['maxReceivers', '256', 256],
    ['maxWaiting', '9007199254740991', 9_007_199_254_740_991],
    ['window', '64KiB', 65_536],
    ['memory', '1048576', 1_048_576],
  ]
  for (const [key, text, value] of good) t.equal(load({ [key]: text })[key], value, `${key} ${text}`)
  t.equal(load({ window: '1GiB', memory: '1GiB' }).window, 1024 ** 3)
})

t.test('booleans as text, in any letter case', async (t) => {
  for (const [on, off] of [
    ['true', 'false'],
    ['yes', 'no'],
    ['1', '0'],
    ['on', 'off'],
    ['TRUE', 'False'],
  ] as const) {
    t.equal(load({}, { PIPEGATE_BARE_NAMES: on }).bareNames, true, on)
    t.equal(load({}, { PIPEGATE_BARE_NAMES: off }).bareNames, false, off)
    t.equal(load({ bareNames: off }).bareNames, false, off)
    t.equal(load({}, {}, `bareNames: ${JSON.stringify(off)}`).bareNames, false, off)
  }
})

t.test('sizes', async (t) => {
  const sizes: readonly [string, number][] = [
    ['1048576', 1_048_576],
    ['1048576b', 1_048_576],
    ['64k', 65_536],
    ['64K', 65_536],
    ['512KiB', 524_288],
    ['512kib', 524_288],
    ['66kB', 66_000],
    ['66KB', 66_000],
    ['1m', 1_048_576],
    ['1MiB', 1_048_576],
    ['1MB', 1_000_000],
    ['1 MiB', 1_048_576],
    ['1g', 1_073_741_824],
    ['1GiB', 1_073_741_824],
    ['1GB', 1_000_000_000],
  ]
  for (const [text, size] of sizes) t.equal(load({ window: text, memory: '1GiB' }).window, size, text)
})

t.test('prefixes', async (t) => {
  const good: readonly [string, string][] = [
    ['/p', '/p'],
    ['/p/', '/p'],
    ['/a/b.c/~d', '/a/b.c/~d'],
    ['/...', '/...'],
    ['/.well-known/pipe', '/.well-known/pipe'],
    ["/a-_!$&'()*+,;=:@", "/a-_!$&'()*+,;=:@"],
    ['', ''],
    ['off', ''],
    ['Off', ''],
  ]
  for (const [text, prefix] of good) t.equal(load({ prefix: text }).prefix, prefix, text)
  t.equal(load({}, {}, 'prefix: ""').prefix, '', 'empty in a file is off')
  t.equal(load({}, { PIPEGATE_PREFIX: '' }).prefix, '/api/v1/pipe', 'empty in the environment is unset')
})

t.test('an empty variable, and a key without a value, count as unset', async (t) => {
  const env = Object.fromEntries([...SETTING_KEYS, 'config'].map((key) => [variableOf(key), '']))
  t.strictSame(load({}, env), load())
  t.strictSame(load({}, {}, SETTING_KEYS.map((key) => `${key}:`).join('\n')), load())
  t.equal(load({}, { PIPEGATE_PORT: '' }, 'port: 81').port, 81)
  t.equal(load({}, { PIPEGATE_PORT: undefined }).port, 8080)
})

t.test('a prefix that is off needs the bare names', async (t) => {
  t.equal(
    refusal({ prefix: 'off' }, { PIPEGATE_BARE_NAMES: 'no' }).message,
    'configuration: --prefix, PIPEGATE_BARE_NAMES: found prefix off and bareNames false, expected at least one of them on',
  )
  t.match(refusal({}, {}, 'prefix: off\nbareNames: false').problems, [
    { where: 'pipegate.yaml', key: 'prefix, bareNames' },
  ])
  t.match(load({ prefix: 'off' }), { prefix: '', bareNames: true })
  t.match(load({ bareNames: 'false' }), { prefix: '/api/v1/pipe', bareNames: false })
})

t.test('memory holds at least one window', async (t) => {
  t.equal(
    refusal({ window: '1GiB' }).message,
    'configuration: --window: found window 1GiB and memory 256MiB, expected memory to be at least window',
  )
  t.match(refusal({ memory: '1MiB' }, { PIPEGATE_WINDOW: '1048577' }).problems, [
    { where: 'PIPEGATE_WINDOW, --memory', key: 'window, memory' },
  ])
  t.equal(load({ window: '2MiB', memory: '2MiB' }).memory, 2_097_152)
  t.equal(refusal({ window: '1GiB', memory: 'lots' }).problems.length, 1, 'no second problem from the first')
})

t.test('certificate and key', async (t) => {
  const [cert, key] = [pem('a.pem'), pem('b.pem')]
  t.match(load({ tlsCert: cert, tlsKey: key }), { tlsCert: cert, tlsKey: key })
  t.equal(
    refusal({ tlsCert: cert }).message,
    'configuration: --tls-cert: found tlsCert without tlsKey, expected both or none',
  )
  t.match(refusal({}, { PIPEGATE_TLS_KEY: key }).problems, [
    { where: 'PIPEGATE_TLS_KEY', found: 'tlsKey without tlsCert' },
  ])
  t.match(refusal({ tlsCert: pem('none.pem'), tlsKey: pem('folder') }).problems, [
    { where: '--tls-cert', key: 'tlsCert', found: /none\.pem" \(ENOENT: no such file/ },
    { where: '--tls-key', key: 'tlsKey', found: /folder" \(a directory\)/ },
  ])
  t.match(
    load({ tlsCert: cert, tlsKey: key }, { PIPEGATE_TLS_CERT: '/none' }),
    { tlsCert: cert },
    'only those in effect',
  )
})

t.test('more certificates, and the port that redirects', async (t) => {
  const [cert, key] = [pem('a.pem'), pem('b.pem')]
  const both = { tlsCert: cert, tlsKey: key }
  t.same(load(both, {}, `tlsSni:\n  - cert: "${cert}"\n    key: "${key}"\n`).tlsSni, [{ cert, key }])
  const needs = 'expected tlsCert and tlsKey as well'
  t.equal(
    refusal({ tlsSni: `${cert}:${key}` }).message,
    `configuration: --tls-sni: found tlsSni without tlsCert, ${needs}`,
  )
  t.equal(
    refusal({}, {}, 'redirectPort: 80').message,
    `configuration: pipegate.yaml: found redirectPort without tlsCert, ${needs}`,
  )
  t.equal(
    refusal({ ...both, redirectPort: '8443' }, { PIPEGATE_PORT: '8443' }).message,
    'configuration: PIPEGATE_PORT, --redirect-port: found port 8443 and redirectPort 8443, expected two ports',
  )
  t.match(load({ ...both, port: '0', redirectPort: '0' }), { port: 0, redirectPort: 0 })
  t.match(refusal({ ...both, tlsSni: `${pem('none.pem')}:${pem('folder')}` }).problems, [
    { where: '--tls-sni', key: 'tlsSni', found: /none\.pem" \(ENOENT: no such file/ },
    { where: '--tls-sni', key: 'tlsSni', found: /folder" \(a directory\)/ },
  ])
  for (const list of [
    '[{cert: a}]',
    '[{cert: a, key: b, name: c}]',
    '[a]',
    '[[a, b]]',
    '[{cert: 1, key: b}]',
    '[null]',
  ]) {
    t.match(
      refusal(both, {}, `tlsSni: ${list}`).problems,
      [{ key: 'tlsSni', found: 'a list', expected: /CERT:KEY/ }],
      list,
    )
  }
  t.match(refusal(both, {}, 'tlsSni: [*nowhere]').problems, [{ key: 'tlsSni', found: /alias/ }])
})

t.test('a file that is there and cannot be read', async (t) => {
  // A link to itself, because root may read whatever has only its permissions against it.
  symlinkSync(pem('loop.pem'), pem('loop.pem'))
  t.match(refusal({ tlsCert: pem('a.pem'), tlsKey: pem('loop.pem') }).problems, [{ key: 'tlsKey', found: /ELOOP/ }])
})

t.test('relative paths: to the file for those in it, to the working directory for others', async (t) => {
  const text = 'tlsCert: cert.pem\ntlsKey: ./key.pem\ntlsSni: [{cert: ./key.pem, key: cert.pem}]\n'
  const dir = t.testdir({ 'pipegate.yaml': text, 'cert.pem': '', 'key.pem': '' })
  const file = join(dir, 'pipegate.yaml')
  t.match(loadConfig({ flags: { config: file }, env: {} }), {
    tlsCert: join(dir, 'cert.pem'),
    tlsKey: join(dir, 'key.pem'),
    tlsSni: [{ cert: join(dir, 'key.pem'), key: join(dir, 'cert.pem') }],
  })
  const fromHere = relative(process.cwd(), join(dir, 'cert.pem'))
  t.equal(loadConfig({ flags: { config: file, tlsCert: fromHere }, env: {} }).tlsCert, join(dir, 'cert.pem'))
})

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

t.test('what was found is shown on one short line', async (t) => {
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

t.test('a bad value is reported even where a higher source overrides it', async (t) => {
  t.match(refusal({ port: '1' }, { PIPEGATE_PORT: 'x' }, 'port: y').problems, [
    { where: 'PIPEGATE_PORT' },
    { where: 'pipegate.yaml' },
  ])
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

t.test('a file that is no configuration is one clear line', async (t) => {
  const cases: readonly [string, string][] = [
    ['port: 1\nhost: [\n', 'pipegate.yaml:3:1: found a YAML error (Flow sequence in block collection must be'],
    ['a: b: c', 'pipegate.yaml:1:4: found a YAML error (Nested mappings are not allowed in compact mappings)'],
    ['port: 1\nport: 2', 'pipegate.yaml:2:1: found a YAML error (Map keys must be unique), expected YAML or JSON'],
    ['{"port": 1', 'pipegate.yaml:1:11: found a YAML error'],
    ['port: 1\n---\nport: 2', 'pipegate.yaml:2:1: found a YAML error (a second document), expected YAML or JSON'],
    ['port: !thing 3', 'pipegate.yaml:1:7: found a YAML error (Unresolved tag), expected YAML or JSON'],
    ['\n- port', 'pipegate.yaml:2:1: found a list, expected a mapping of keys to values'],
    ['port', 'pipegate.yaml:1:1: found a single value, expected a mapping of keys to values'],
    ['8080', 'pipegate.yaml:1:1: found a single value, expected a mapping of keys to values'],
    ['port: *gone', 'pipegate.yaml: port: found an alias without its anchor, expected an integer'],
  ]
  for (const [text, line] of cases) {
    const { message, problems } = refusal({}, {}, text)
    t.equal(problems.length, 1, JSON.stringify(text))
    t.ok(message.startsWith(`configuration: ${line}`), message)
    t.notMatch(message, '\n')
  }
})

t.test('a file that cannot be read is one clear line that names who asked for it', async (t) => {
  t.equal(
    refusal({ config: '/none/x.yaml' }).message,
    'configuration: --config: found "/none/x.yaml" (ENOENT: no such file or directory), expected a readable file',
  )
  t.match(refusal({}, { PIPEGATE_CONFIG: tls }).problems, [
    { where: 'PIPEGATE_CONFIG', key: 'config', found: /EISDIR/ },
  ])
  t.equal(refusal({ config: '' }).problems[0]?.where, '--config')
  t.match(refusal({ config: '/none', port: 'x' }).problems, [{ where: '--port' }, { where: '--config' }])
})

t.test('files that are configurations', async (t) => {
  t.strictSame(load({}, {}, ''), load())
  t.strictSame(load({}, {}, '# nothing yet\n'), load())
  t.strictSame(load({}, {}, '---\n'), load())
  t.equal(load({}, {}, '{"port": 81, "logLevel": "debug"}').logLevel, 'debug')
  t.equal(load({}, {}, '\ufeffport: 81\r\nhost: a\r\n').host, 'a', 'byte order mark and CRLF')
  t.match(load({}, {}, 'port: &n 90\nwait: *n\n'), { port: 90, wait: 90 })
  t.equal(loadConfig({ flags: {}, env: { PIPEGATE_CONFIG: 'x' }, readFile: (path) => `host: ${path}` }).host, 'x')
  const both = { flags: { config: 'flag' }, env: { PIPEGATE_CONFIG: 'env' } }
  t.equal(loadConfig({ ...both, readFile: (path) => `host: ${path}` }).host, 'flag')
})

t.test('the printed configuration can be fed back', async (t) => {
  const given: FlagValues = Object.fromEntries(SETTING_KEYS.map((key) => [key, RANKS[key][3][0]]))
  const longest = `/${'p'.repeat(300)}`
  const mixes: readonly [FlagValues, Env, string][] = [
    [{}, {}, ''],
    [{ ...given, bareNames: 'yes' }, {}, ''],
    [{ prefix: longest, window: '100001', memory: '3GiB' }, { PIPEGATE_WAIT: '5', PIPEGATE_HOST: '::' }, 'idle: 0'],
    [{ host: '#1' }, { PIPEGATE_TLS_CERT: pem('a.pem') }, `tlsKey: ${pem('b.pem')}`],
    [{ host: 'null' }, {}, 'bareNames: false'],
    [{ tlsCert: pem(LONG_NAME), tlsKey: pem('a.pem') }, {}, ''],
  ]
  for (const [flags, env, file] of mixes) {
    const first = loadConfigWithOrigins({ ...sources(flags, env, file) })
    const text = renderConfig(first.config, first.origins)
    t.strictSame(load({}, {}, text), first.config, text)
    for (const key of SETTING_KEYS) t.match(text, new RegExp(`^${key}: .* # (default|file|env|flag)`, 'm'))
  }
})

t.test('the printed configuration says where each value came from', async (t) => {
  const { config, origins } = loadConfigWithOrigins(
    sources({ port: '81', prefix: 'off' }, { PIPEGATE_WINDOW: '128k' }, 'failedEnd: clean'),
  )
  const lines = renderConfig(config, origins).split('\n')
  t.equal(lines.length, SETTING_KEYS.length + 1)
  t.equal(lines[0], 'port: 81 # flag --port')
  for (const line of [
    'prefix: off # flag --prefix',
    'window: 128KiB # env PIPEGATE_WINDOW',
    'failedEnd: clean # file pipegate.yaml',
    'tlsKey: null # default',
    'memory: 256MiB # default',
  ]) {
    t.ok(lines.includes(line), line)
  }
  const odd = loadConfigWithOrigins({ flags: { config: 'a\nport: 1\u001b[2J' }, env: {}, readFile: () => 'port: 82' })
  const text = renderConfig(odd.config, odd.origins)
  t.equal(text.split('\n')[0], 'port: 82 # file a\\u000aport: 1\\u001b[2J', 'a file name cannot leave its comment')
})

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

t.test('the help text', async (t) => {
  const text = helpText()
  for (const line of text.split('\n')) {
    t.ok(line.length <= 100, line)
    t.notMatch(line, /\s$/)
  }
  for (const key of [...SETTING_KEYS, 'config', ...Object.keys(SWITCHES)]) {
    const flag = typeof load()[key as SettingKey] === 'boolean' ? flagOf(key).replace('--', '--\\[no-\\]') : flagOf(key)
    t.match(text, new RegExp(`^ {2}${flag}( \\S+)? {2,}[A-Z]`, 'm'), flag)
  }
  t.match(text, /^Usage: pipegate serve /)
  t.match(text.replace(/\s+/g, ' '), 'Port to listen on; 0 takes any free one. [8080]')
})

t.test('docs/configuration.md has the table of the settings', async (t) => {
  // From dist/test/gateway as well as from a build elsewhere in the project: npm and tap both start at its root.
  const docs = readFileSync('docs/configuration.md', 'utf8')
  const table = /<!-- settings:begin[^>]*-->\n([\s\S]*?)<!-- settings:end -->/.exec(docs)?.[1]
  t.equal(table?.trim(), settingsMarkdown().trim())
  const rows = settingsMarkdown().trim().split('\n')
  t.equal(rows.length, SETTING_KEYS.length + 2)
  for (const row of rows) t.equal(row.replaceAll('\\|', '').split('|').length, 8, row)
})
