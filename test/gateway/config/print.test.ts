/** The printed configuration and the table of the settings. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  type FlagValues,
  loadConfigWithOrigins,
  renderConfig,
  settingsMarkdown,
} from '../../../gateway/config/config.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { type Env, LONG_NAME, load, pem, sources } from './load.js'
import { RANKS } from './ranks.js'

t.test('the printed configuration can be fed back', async (t) => {
  const given: FlagValues = Object.fromEntries(SETTING_KEYS.map((key) => [key, RANKS[key][3][0]]))
  const longest = `/${'p'.repeat(300)}`
  const mixes: readonly [FlagValues, Env, string][] = [
    [{}, {}, ''],
    [{ ...given, bareNames: 'yes', socketHelper: 'on' }, {}, ''],
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

t.test('docs/configuration.md has the table of the settings', async (t) => {
  // From dist/test/gateway as well as from a build elsewhere in the project: npm and tap both start at its root.
  const docs = readFileSync('docs/configuration.md', 'utf8')
  const table = /<!-- settings:begin[^>]*-->\n([\s\S]*?)<!-- settings:end -->/.exec(docs)?.[1]
  t.equal(table?.trim(), settingsMarkdown().trim())
  const rows = settingsMarkdown().trim().split('\n')
  t.equal(rows.length, SETTING_KEYS.length + 2)
  for (const row of rows) t.equal(row.replaceAll('\\|', '').split('|').length, 8, row)
})
