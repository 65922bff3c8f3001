/** `pipegate serve --public`: on all addresses, and never without anybody having said who may. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { command } from '../../support/command.js'
import { curl, curlDone } from '../../support/curl.js'
import { freePort } from '../../support/free-port.js'
import { MAIN, Program, runProgram } from '../../support/program.js'
import { lines } from './process.js'
import { Terminal } from './terminal.js'

t.jobs = 2

const HASH = `sha256:${'0'.repeat(64)}`

t.test('without a terminal it is refused, and told which flags say who may', async (t) => {
  for (const args of [['serve'], ['check'], ['check', '--hosts', '*']]) {
    const exit = await runProgram(t, [...args, '--public', '--port', '0'], { timeoutMs: 30_000 })
    t.same([exit.code, exit.stdout], [2, ''], exit.stderr)
    const text = lines(exit.stderr)[0]!
    t.match(text, /^pipegate: with --public everybody /)
    for (const flag of ['--token-file FILE', '--hosts NAME', '--open', 'auth-bearer', '"pipegate token"'])
      t.ok(text.includes(flag), flag)
  }
})

t.test('each of the flags is enough, and so is a configuration with tokens', async (t) => {
  const folder = t.testdir({
    'tokens.yaml': `[{ name: a, hash: '${HASH}' }]`,
    'pipegate.yaml': `plugins: [{ plugin: auth-bearer, config: { tokens: [{ name: a, hash: '${HASH}' }] } }]`,
    'anonymous.yaml': `plugins: [{ plugin: auth-bearer, config: { anonymous: [send], tokens: [{ name: a, hash: '${HASH}' }] } }]`,
  })
  const enough: [flags: string[], status: string][] = [
    [['--open'], '200'],
    [['--hosts', 'pipe.example.org'], '200'],
    [['--token-file', join(folder, 'tokens.yaml')], '401'],
    [['--config', join(folder, 'pipegate.yaml')], '401'],
  ]
  for (const [flags, status] of enough) {
    const program = new Program(t, ['serve', '--public', '--port', '0', ...flags], {})
    await program.waitForLog('listening', 1, 30_000)
    const url = `http://127.0.0.1:${program.port}/x`
    const receiver = curl(['-o', '/dev/null', '-w', '%{http_code}', url])
    await curlDone(['-d', 'x', url])
    t.equal((await receiver.result).stdout.toString(), status, flags.join(' '))
    t.equal((await program.endsAfter('SIGTERM')).code, 0)
  }
  const exit = await runProgram(t, ['check', '--public', '--config', join(folder, 'anonymous.yaml')])
  t.equal(exit.code, 2, 'tokens are no protection where nobody needs one')
  const twice = ['check', '--config', join(folder, 'pipegate.yaml'), '--token-file', join(folder, 'tokens.yaml')]
  t.match(
    (await runProgram(t, twice)).stderr,
    /plugins\[0\] \(auth-bearer\): found this plugin and --token-file, expected one/,
  )
})

async function asked(t: Test): Promise<{ terminal: Terminal; port: number }> {
  const port = await freePort()
  const terminal = new Terminal(t, ['serve', '--port', `${port}`, '--public'], { env: { NO_COLOR: '1' }, columns: 160 })
  await terminal.waitFor('1, 2 or 3 [1]: ')
  t.not((await curlDone([`http://127.0.0.1:${port}/help`])).code, 0, 'the port is not open yet')
  return { terminal, port }
}

t.test('on a terminal it makes a token', async (t) => {
  const { terminal, port } = await asked(t)
  terminal.type('\r')
  await terminal.waitFor('Ctrl-C stops it.')
  const token = /kept nowhere: (\S+)$/m.exec(terminal.shown)![1]!
  t.match(token, /^pg_[\w-]{43}$/)
  t.match(terminal.shown, `  or       curl -H 'Authorization: Bearer ${token}' -T FILE http`)
  const url = `http://127.0.0.1:${port}/x`
  t.equal((await curlDone(['-o', '/dev/null', '-w', '%{http_code}', url])).stdout.toString(), '401')
  const credentials = ['-H', `Authorization: Bearer ${token}`]
  const receiver = curl([...credentials, url])
  t.equal((await curlDone([...credentials, '-d', 'with it', url])).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'with it')
  terminal.type('\x03')
  t.equal(await terminal.ends(), 0, 'Ctrl-C is the signal again')
})

t.test('on a terminal it takes names, and asks again for what is none', async (t) => {
  const { terminal, port } = await asked(t)
  terminal.type('two\r')
  await terminal.waitFor('1, 2 or 3: ')
  terminal.type('2\r')
  await terminal.waitFor('such as pipe.example.org: ')
  terminal.type('no name, x\r')
  await terminal.waitFor(/such as pipe\.example\.org: .*such as pipe\.example\.org: /s)
  terminal.type('pipe.example.org\r')
  await terminal.waitFor('Ctrl-C stops it.')
  const status = async (host: string) =>
    (
      await curlDone(['-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${host}`, `http://127.0.0.1:${port}/help`])
    ).stdout.toString()
  t.same([await status('pipe.example.org'), await status('evil.example')], ['200', '421'])
})

t.test('on a terminal it takes everybody', async (t) => {
  const { terminal, port } = await asked(t)
  terminal.type('3\r')
  await terminal.waitFor('Everybody who reaches this machine may send and receive (--open).')
  t.equal((await curlDone([`http://127.0.0.1:${port}/help`])).code, 0)
})

t.test('no answer is a refusal', async (t) => {
  for (const key of ['\x03', '\x04']) {
    const { terminal } = await asked(t)
    terminal.type(key)
    t.equal(await terminal.ends(), 2)
    t.match(terminal.shown, /pipegate: with --public everybody .*--open/)
  }
})

t.test('it serves where the system tells no addresses, as in the systemd unit', async (t) => {
  // The first socket of a process that asks for addresses is a netlink one, which the unit denies in this way.
  const denied = [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=socket',
    '-e',
    'inject=socket:error=EAFNOSUPPORT',
  ]
  const addresses = new URL('../../../gateway/serve/own-addresses.js', import.meta.url).href
  const script = `const { ownAddresses } = await import('${addresses}'); console.log(ownAddresses('0.0.0.0'))`
  const asks = [...denied, process.execPath, '--input-type=module', '-e', script]
  const none = await command(asks[0]!, asks.slice(1))
  t.same([none.code, none.stdout.toString(), none.stderr], [0, '[]\n', ''])
  const prints = [...denied, process.execPath, MAIN, 'serve', '--print-config', '--public']
  const printed = await command(prints[0]!, prints.slice(1))
  t.match(printed.stdout.toString(), /^host: ('::'|"::"|0\.0\.0\.0) # flag --public$/m, printed.stderr)
})
