/** Configuration files that can be read, and those that cannot. */

import t from 'tap'
import { loadConfig } from '../../../gateway/config/config.js'
import { load, refusal, tls } from './load.js'

t.test('a file that is no configuration is reported in one clear line', async (t) => {
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

t.test('a file that cannot be read is reported in one clear line that names the flag or variable', async (t) => {
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

t.test('files that are valid configurations', async (t) => {
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
