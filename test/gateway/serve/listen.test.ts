/** The addresses and ports that the program listens on. */

import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { MAIN, runProgram, startProgram } from '../../support/program.js'
import { connect } from '../../support/raw.js'
import { holds } from './process.js'

// Most of these wait for processes; two cores run several of them as fast as one.
t.jobs = 2

t.test('more connections than file descriptors: those are turned away, and the others are served', async (t) => {
  const command = ['sh', '-c', 'ulimit -n 256; exec "$@"', 'sh', process.execPath, MAIN] as const
  const program = await startProgram(t, [], { command })
  const receiver = curl(['-N', program.url('through')])
  await holds((name) => program.url(name), 1, 0)
  const crowd = await Promise.all(Array.from({ length: 300 }, () => connect({ port: program.port })))
  const line = await program.waitForLog(
    'turned away: no file descriptor is left, raise the limit of open files (ulimit -n)',
  )
  t.ok(Number(line.connections) > 10, `${line.connections} connections were turned away`)
  await eventually(() => crowd.filter((client) => client.isClosed).length > 10 || 'nobody was turned away')
  for (const client of crowd.slice(0, 20)) client.destroy()
  const stayed = crowd.filter((client) => !client.isClosed)
  for (const client of stayed) client.destroy()
  await eventually(async () => (await curlDone([program.url('health')])).code === 0 || 'nobody is served')
  t.equal((await curlDone(['-T', '-', program.url('through')], { input: 'all the same' })).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'all the same')
})

t.test('an address that cannot be opened: one line and exit code 1', async (t) => {
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as AddressInfo).port))
  })
  t.teardown(() => holder.close())
  const first = await startProgram(t)
  const cases: [flags: string[], line: RegExp][] = [
    [['--port', `${port}`], /^pipegate: cannot listen on 127\.0\.0\.1 port \d+: the port is in use; .*--port\n$/],
    [['--port', `${first.port}`], /^pipegate: cannot listen on 127\.0\.0\.1 port \d+: the port is in use; .*--port\n$/],
    [
      ['--host', '192.0.2.1'],
      /^pipegate: cannot listen on 192\.0\.2\.1 port 0: this machine does not have .*--host\n$/,
    ],
    [['--host', 'no-such-host.invalid'], /^pipegate: .*no-such-host\.invalid.*: no address is known .*--host\n$/],
    [['--host', '::1%lo'], /^pipegate: cannot listen on ::1%lo port 0: (?!.*in use).*--host\n$/],
    ...privileged(),
  ]
  for (const [flags, line] of cases) {
    const exit = await runProgram(t, ['serve', '--port', '0', ...flags])
    t.equal(exit.code, 1, flags.join(' '))
    t.match(exit.stderr, line)
    t.notMatch(exit.stdout, 'listening')
  }
  t.equal((await curlDone([first.url('health')])).code, 0, 'the gateway that has the port goes on')
})

/** Where this user may not open a port below 1024. */
function privileged(): [flags: string[], line: RegExp][] {
  const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
  const lowest = existsSync(setting) ? Number(readFileSync(setting, 'utf8')) : 1024
  if (process.getuid?.() === 0 || lowest <= 1) {
    t.comment('this user may open every port, so that no port is refused for want of rights')
    return []
  }
  return [[['--port', '1'], /^pipegate: .* port 1: this user may not open that port; .*--port\n$/]]
}

t.test('a port can be opened again right after its gateway was killed, although it had connections', async (t) => {
  const first = await startProgram(t)
  const waiting = curl(['-N', first.url('name')])
  await holds((name) => first.url(name), 1, 0)
  await first.endsAfter('SIGKILL')
  await waiting.result
  // What is left of the connection keeps the port from who does not say that it may be used again.
  const again = await startProgram(t, ['--port', `${first.port}`])
  t.equal(again.port, first.port)
})

/** Whether a socket can listen on this address. */
function canListen(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(0, host, () => probe.close(() => resolve(true)))
  })
}

const ipv6 = (await canListen('::1')) ? {} : { skip: 'this machine has no ::1' }

for (const [host, shown, clients, flags] of [
  ['::1', '[::1]', ['[::1]'], []],
  ['::', '[::]', ['[::1]', '127.0.0.1'], []],
  ['::', '[::]', ['[::1]', '127.0.0.1'], ['--no-socket-helper']],
] as const) {
  t.test(`--host ${host} ${flags.join(' ')} serves ${clients.join(' and ')}`, ipv6, async (t) => {
    const program = await startProgram(t, ['--host', host, ...flags])
    t.equal(program.base, `http://${shown}:${program.port}/api/v1/pipe/`)
    for (const client of clients) {
      const url = `http://${client}:${program.port}/six`
      const receiver = curl(['-g', url])
      const sender = await curlDone(['-g', '-d', client, url])
      const received = await receiver.result
      t.same([sender.code, received.code, received.stdout.toString()], [0, 0, client])
    }
    await program.waitForLog('request', clients.length * 2)
    const addresses = program.logged('request').map((line) => line.remoteAddress as string)
    // The long form is readable too; the URL parser shortens it.
    const short = addresses.map((address) =>
      address.includes(':') ? new URL(`http://[${address}]`).hostname : address,
    )
    t.same(
      short,
      clients.flatMap((client) => [client, client]),
    )
  })
}

t.test('localhost works, as the host and as the name of the default one', async (t) => {
  for (const flags of [['--host', 'localhost'], []]) {
    const program = await startProgram(t, flags)
    const url = `http://localhost:${program.port}/here`
    const receiver = curl([url])
    const sender = await curlDone(['-d', 'home', url])
    t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'home'])
  }
})
