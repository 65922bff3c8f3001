/** The values that settings take and refuse. */

import t from 'tap'
import type { SettingKey } from '../../../gateway/config/config.js'
import { flagOf, variableOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { load, refusal } from './load.js'

const INTEGERS = (min: number, max: number) =>
  ['', ' 1', '1 ', '+1', '-1', '1.5', '1e3', '0x10', '2abc', 'NaN'].concat(
    min > 0 ? [String(min - 1)] : [],
    max < Number.MAX_SAFE_INTEGER ? [String(max + 1)] : ['9007199254740993', '9'.repeat(400)],
  )

/** For each setting the texts that are refused as a flag. */
const REFUSED: { readonly [K in SettingKey]: readonly string[] } = {
  port: INTEGERS(0, 65_535),
  host: ['', ' ', 'a b', 'a\n', 'a\u0000'],
  hosts: [
    'a,',
    'a b',
    'http://a',
    'a:80',
    '*.',
    '*a',
    'a.*.b',
    '[192.0.2.1]',
    '[::1',
    '[::1]:80',
    'ü',
    'a\n.b',
    '.a',
    'a..b',
  ],
  public: ['', 'maybe'],
  open: ['', 'maybe'],
  tokenFile: ['', 'a\nb'],
  qr: ['', 'maybe'],
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
  peerTimeout: INTEGERS(0, 900),
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
  maxViewers: INTEGERS(1, 65_536),
  maxQueued: INTEGERS(1, 100_000),
  maxSubscribers: INTEGERS(1, 65_536),
  slowSubscribers: ['', 'skip', 'Cut'],
  maxWaiting: INTEGERS(1, Number.MAX_SAFE_INTEGER),
  maxActive: INTEGERS(1, Number.MAX_SAFE_INTEGER),
  decide: INTEGERS(1, 60),
  trustedProxies: ['x', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', '10.0.0.0/8,', 'localhost'],
  reply: ['', 'later', 'End'],
  failedEnd: ['', 'dirty', 'Cut'],
  peerGone: ['', '1011', 'Away'],
  threads: ['', '0', '65', '1.5', 'all'],
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
    ['peerTimeout', '900', 900],
    ['maxReceivers', '256', 256],
    ['maxViewers', '4096', 4096],
    ['maxQueued', '50', 50],
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
