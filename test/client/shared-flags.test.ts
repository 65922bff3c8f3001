/** What is the same in several commands: who asks, where, whom to trust. */

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tlsOptions } from '../../client/certificates.js'
import { WrongUsage } from '../../client/cli/wrong-usage.js'
import { onServer } from '../../client/server.js'
import type { LoadedPlugin } from '../../gateway/host/loading/loaded-plugin.js'
import progress from '../../plugins/progress/index.js'
import { makeCertificate } from '../support/certificate.js'
import { curlDone } from '../support/curl.js'
import { startGateway } from '../support/gateway.js'
import { Program } from '../support/program.js'

const PLUGINS = { plugins: [{ plugin: progress as unknown as LoadedPlugin['plugin'], config: {} }] }

t.test('a name on a server', async (t) => {
  const cases: readonly [word: string, server: string | undefined, variable: string | undefined, wanted: string][] = [
    ['h/a', undefined, undefined, 'h/a'],
    ['h/a', undefined, '', 'h/a'],
    ['a', 'https://h', undefined, 'https://h/a'],
    ['a', 'https://h/', undefined, 'https://h/a'],
    ['/a', 'https://h', undefined, 'https://h/a'],
    ['a/b?x', 'https://h/prefix', undefined, 'https://h/prefix/a/b?x'],
    ['a', 'h:81', undefined, 'http://h:81/a'],
    ['a', undefined, 'https://v', 'https://v/a'],
    ['a', 'https://h', 'https://v', 'https://h/a'],
    ['a', 'https://u:p@h', undefined, 'https://u:p@h/a'],
    ['http://x/a', 'https://h', 'https://v', 'http://x/a'],
    ['HTTPS://x/a', 'https://h', undefined, 'HTTPS://x/a'],
  ]
  for (const [word, server, variable, wanted] of cases) {
    const env = variable === undefined ? {} : { PIPEGATE_URL: variable }
    t.equal(onServer(word, server, env), wanted, `${word} on ${server ?? variable}`)
  }
  for (const wrong of ['https://h?SECRET', 'https://SECRET h', 'https://h#SECRET', 'https://']) {
    const error = t.throws(() => onServer('a', wrong, {}), WrongUsage) as Error
    t.equal(error.message, '--server: expected an address such as https://HOST, without a query')
  }
  t.throws(() => onServer('a', undefined, { PIPEGATE_URL: 'ftp://h?' }), { message: /^PIPEGATE_URL: expected/ })
})

t.test('files of certificates', async (t) => {
  const dir = t.testdir({ empty: '', broken: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' })
  const { cert, key } = makeCertificate(dir)
  const other = makeCertificate(dir, { name: 'other' })
  const both = join(dir, 'both')
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  const locked = join(dir, 'locked')
  execFileSync('openssl', ['pkey', '-in', key, '-aes256', '-passout', 'pass:secret', '-out', locked])
  t.same(tlsOptions({}), {})
  t.match(tlsOptions({ cacert: cert }), { ca: /^-----BEGIN CERTIFICATE-----/ })
  for (const flags of [{ cert, key }, { cert: both }]) {
    t.match(tlsOptions(flags), { cert: /^-----BEGIN CERTIFICATE-----/, key: /-----BEGIN PRIVATE KEY-----/ })
  }
  for (const flag of ['cacert', 'cert']) {
    for (const file of [join(dir, 'empty'), join(dir, 'broken'), key]) {
      const message = `--${flag}: expected a file with certificates (PEM)`
      t.throws(() => tlsOptions({ [flag]: file }), { message }, file)
    }
    t.throws(() => tlsOptions({ [flag]: join(dir, 'none') }), { message: new RegExp(`^--${flag}: ENOENT`) })
    t.throws(() => tlsOptions({ [flag]: dir }), { message: new RegExp(`^--${flag}: EISDIR`) })
  }
  t.throws(() => tlsOptions({ key }), { message: /^--key is nothing without --cert/ })
  t.throws(() => tlsOptions({ cert }), { message: '--cert: its key is not in the file; --key FILE names where it is' })
  t.throws(() => tlsOptions({ cert, key: cert }), { message: '--key: expected a file with a private key (PEM)' })
  t.throws(() => tlsOptions({ cert, key: locked }), {
    message: '--key: the key is encrypted; give it without a passphrase',
  })
  t.throws(() => tlsOptions({ cert, key: other.key }), { message: /^--key: the key does not belong to/ })
})

t.test('watch finds its gateway by --server or the variable, and trusts it by --cacert', async (t) => {
  const dir = t.testdir()
  const own = makeCertificate(dir)
  const other = makeCertificate(dir, { name: 'other' })
  const gateway = await startGateway(t, { tlsCert: own.cert, tlsKey: own.key }, PLUGINS)
  const url = gateway.url('job')
  const [sent] = await Promise.all([curlDone(['-k', '-T', '-', url], { input: 'abc' }), curlDone(['-k', url])])
  t.equal(sent.code, 0)
  const server = new URL(url).origin
  const watch = (args: string[], env = {}) => new Program(t, ['watch', '--last', '-q', ...args], { env }).ends(30_000)
  const [flag, variable, address, untrusted] = await Promise.all([
    watch(['--server', server, '--cacert', own.cert, 'job']),
    watch(['--cacert', own.cert, 'job'], { PIPEGATE_URL: server }),
    watch([url, '--cacert', own.cert]),
    watch([url, '--cacert', other.cert]),
  ])
  for (const { code, stdout } of [flag, variable, address]) {
    t.match(stdout, /^complete: 3 B in /)
    t.equal(code, 0)
  }
  t.equal(untrusted.code, 2)
  t.match(untrusted.stderr, /^pipegate: its certificate is signed by itself; --cacert FILE/)
})

t.test('link signs a name on a server', async (t) => {
  const file = join(t.testdir({ secret: 'a secret of more than thirty-two characters' }), 'secret')
  const args = ['link', 'job', '--secret-file', file, '--right', 'watch']
  const { stdout, code } = await new Program(t, [...args, '--server', 'https://h'], {}).ends(30_000)
  t.equal(code, 0)
  t.match(stdout, /^https:\/\/h\/job\?progress&sig=/)
})

/** Runs a line for a shell in which `pipegate` is the program, with a pipe that nobody reads as its standard output. */
function withoutReader(t: Test, args: string): Program {
  const pipe = join(t.testdir(), 'pipe')
  const script = `mkfifo ${pipe}; exec 4<>${pipe} 5>${pipe} 4<&-; "$0" dist/gateway/main.js ${args} >&5; echo $?`
  return new Program(t, ['-c', script, process.execPath], { command: ['bash'] })
}

t.test('141 when nobody reads what a command writes', async (t) => {
  const gateway = await startGateway(t, {}, PLUGINS)
  const origin = new URL(gateway.url('x')).origin
  for (const args of ['token', `doctor ${origin}`, `watch ${origin}/x --json`]) {
    await t.test(args, async (t) => {
      t.equal((await withoutReader(t, args).ends(60_000)).stdout, '141\n')
    })
  }
})
