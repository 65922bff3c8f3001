/** What a person sees who starts a gateway on a terminal. */
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { machineNames } from '../../../gateway/serve/banner/machine-names.js'
import { makeCertificate } from '../../support/certificate.js'
import { command } from '../../support/command.js'
import { curl, curlDone } from '../../support/curl.js'
import { freePort } from '../../support/free-port.js'
import { MAIN } from '../../support/program.js'
import { VERSION } from './process.js'
import { Terminal, type TerminalOptions } from './terminal.js'

t.jobs = 2

async function started(t: Test, flags: readonly string[] = [], options: TerminalOptions = {}) {
  const port = await freePort()
  const terminal = new Terminal(t, ['serve', '--port', `${port}`, ...flags], options)
  await terminal.waitFor(/Ctrl-C stops it\.\n(?:.+\n)*\n$/)
  return { terminal, port, banner: terminal.shown }
}

const PLAIN = { env: { NO_COLOR: '1' } }
/** Whether this machine has addresses that others reach, as nearly every one has. */
const OTHERS = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.internal === false && each.family === 'IPv4')

t.test('by default: what to paste, who reaches it, how it ends, and nothing else', async (t) => {
  const { terminal, port, banner } = await started(t, [], PLAIN)
  t.equal(
    banner,
    [
      `pipegate ${VERSION}`,
      '',
      `  send     pipegate send --server http://127.0.0.1:${port} FILE`,
      `  or       curl -T FILE http://127.0.0.1:${port}/name`,
      `  receive  pipegate receive --server http://127.0.0.1:${port} NAME`,
      `  or       curl http://127.0.0.1:${port}/name`,
      `  browser  http://127.0.0.1:${port}/`,
      '',
      'Only this machine reaches it.',
      'To let others in: pipegate serve --public',
      'Ctrl-C stops it.',
      '\n',
    ].join('\n'),
  )
  t.equal((await curlDone([`http://127.0.0.1:${port}/api/v1/pipe/health`])).code, 0)
  await terminal.waitFor(/\d · GET \/api\/v1\/pipe\/health {2}200/)
  terminal.type('\x03')
  t.equal(await terminal.ends(), 0)
  t.match(
    terminal.shown,
    /^(?:\^C)?\d\d:\d\d:\d\d · draining {2}signal SIGINT.*\n\d\d:\d\d:\d\d · stopped\n/m,
    'as before',
  )
})

t.test('narrow: each command is whole, on a line of its own', async (t) => {
  const { banner, port } = await started(t, [], { ...PLAIN, columns: 40 })
  const lines = banner.split('\n')
  t.ok(lines.includes(`curl -T FILE http://127.0.0.1:${port}/name`), banner)
  t.ok(lines.includes('send'))
  t.match(banner, 'To let others in: pipegate serve\n  --public\n')
  t.same(
    lines.filter((line) => line.length > 40 && !line.includes('http:')),
    [],
  )
})

t.test('colours are for a terminal that wants them', async (t) => {
  const coloured = await started(t)
  t.match(coloured.banner, `\x1b[1mcurl http://127.0.0.1:${coloured.port}/name\x1b[22m`)
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const { banner, terminal, port } = await started(t, [], { env })
    await curlDone([`http://127.0.0.1:${port}/api/v1/pipe/health`])
    await terminal.waitFor('· GET ')
    t.notMatch(banner + terminal.shown, '\x1b', Object.keys(env).join())
  }
  const { banner } = await started(t, [], { env: { NO_COLOR: '1', LC_ALL: 'C' } })
  t.match(banner, /^[\n -~]+$/, 'nothing but ASCII')
})

/** A function of that name, for a shell. */
const asInstalled = `pipegate() { '${process.execPath}' '${MAIN}' "$@"; }; `

for (const shell of ['bash', 'zsh']) {
  t.test(`what is shown can be pasted into ${shell}`, async (t) => {
    const folder = t.testdir({ FILE: 'as it is shown' })
    for (const flags of [[], ['--host', '::1']]) {
      const { banner } = await started(t, flags, PLAIN)
      const [send, curlSend, receive, curlReceive] = [...banner.matchAll(/^ {2}(?:send|or|receive) +(.+)$/gm)].map(
        ([, command]) => command,
      )
      const run = (line: string) => command(shell, ['-c', `${asInstalled}cd '${folder}' && ${line}`])
      const [sent, received] = await Promise.all([run(curlSend!), run(curlReceive!)])
      t.same([sent.code, received.code, received.stdout.toString()], [0, 0, 'as it is shown'], banner)
      const [, taken] = await Promise.all([
        run(`${send!} --name name`),
        run(`mkdir -p ${shell}; cd ${shell}; ${receive!.replace('NAME', 'name')} && cat FILE && rm FILE`),
      ])
      t.match([taken.code, taken.stdout.toString()], [0, 'as it is shown'], taken.stderr)
      const browser = /^ {2}browser +(\S+)$/m.exec(banner)![1]!
      t.match((await curlDone([browser, '-H', 'Accept: text/html'])).stdout.toString(), /<!doctype html>/i)
    }
  })
}

t.test('warnings stay in sight', async (t) => {
  const { banner } = await started(t, ['--no-socket-helper', '--host', '0.0.0.0'], { ...PLAIN, columns: 200 })
  const lines = banner.trimEnd().split('\n')
  t.same(lines.slice(lines.indexOf('Ctrl-C stops it.') + 1), [
    '! a fast sender on this host can hold the event loop: socketHelper inactive, why it is switched off',
    '! every host name is served, so a page may reach this gateway by a name of its own; set hosts to keep it out',
  ])
})

t.test('one that cannot start says its warnings, and why', async (t) => {
  const terminal = new Terminal(t, ['serve', '--port', '0', '--host', '192.0.2.1', '--no-socket-helper'], PLAIN)
  t.equal(await terminal.ends(), 1)
  t.match(terminal.shown, /^! a fast sender .*\n(! .*\n)?pipegate: cannot listen on 192\.0\.2\.1/)
})

t.test('--log-level: the lines of the start for debug, no banner for warn', async (t) => {
  const { banner } = await started(t, ['--log-level', 'debug'], PLAIN)
  for (const line of ['plugins, in the order', 'no sender can hold', 'listening  http://'])
    t.match(banner, new RegExp(`\\d · ${line}`))
  const port = await freePort()
  const quiet = new Terminal(t, ['serve', '--port', `${port}`, '--log-level', 'warn', '--no-socket-helper'], PLAIN)
  await quiet.waitFor(/\d ! a fast sender .*\n/)
  t.notMatch(quiet.shown, /Ctrl-C|curl/)
})

t.test('for others: the addresses that work', { skip: OTHERS ? false : 'this machine has no network' }, async (t) => {
  const { banner, port } = await started(t, ['--host', '0.0.0.0'], PLAIN)
  const origins = [...banner.matchAll(/^ {11}(http\S+)$|also at {2}(\S+)$/gm)].map(([, a, b]) => a ?? b!)
  const best = /or {7}curl (\S+)\/name$/m.exec(banner)![1]!
  t.notMatch(best, '127.')
  t.equal(origins.at(-1), `http://127.0.0.1:${port}`)
  for (const origin of [best, ...origins]) {
    t.equal((await curlDone([`${origin}/api/v1/pipe/health`])).code, 0, origin)
  }
  t.match(banner, 'Everybody who reaches this machine may send and receive.\nTo ask for a token: --token-file FILE')
})

t.test('names of its own come first, and the others are not served', async (t) => {
  const { banner, port } = await started(t, ['--public', '--hosts', 'pipe.example.org,*.example.net'], PLAIN)
  t.match(banner, `curl -T FILE http://pipe.example.org:${port}/name\n`)
  t.match(
    banner,
    `also at  http://127.0.0.1:${port}\n\nEverybody who reaches this machine, as pipe.example.org, may send`,
  )
  const named = [
    '--resolve',
    `pipe.example.org:${port}:127.0.0.1`,
    `http://pipe.example.org:${port}/api/v1/pipe/health`,
  ]
  t.equal((await curlDone(named)).code, 0)
})

t.test('a token: in the commands, and a warning where it can be read on the way', async (t) => {
  const hash = `sha256:${'0'.repeat(64)}`
  const file = join(t.testdir({ 'tokens.yaml': `[{ name: a, hash: '${hash}' }]` }), 'tokens.yaml')
  const { banner, port } = await started(t, ['--public', '--token-file', file], { ...PLAIN, columns: 120 })
  t.match(
    banner,
    /send {5}PIPEGATE_TOKEN=TOKEN pipegate send --server http.* FILE\n {2}or {7}curl -H 'Authorization: Bearer TOKEN' -T FILE http/,
  )
  t.match(banner, /has a token may send and receive\.\nPlain HTTP: who is on the way can read/)
  t.notMatch(banner, '! ')
  const refused = await curlDone(['-T', '-', `http://127.0.0.1:${port}/x`], { input: 'x' })
  t.match(refused.stdout.toString(), 'This gateway asks for a token.')
})

t.test('HTTPS: a name in the certificate, and the port that leads to it', async (t) => {
  const { cert, key } = makeCertificate(t.testdir(), { names: 'DNS:pipe.example.org,DNS:localhost' })
  const redirect = await freePort()
  const flags = ['--tls-cert', cert, '--tls-key', key, '--redirect-port', `${redirect}`]
  const here = await started(t, flags, PLAIN)
  t.match(here.banner, `or       curl https://localhost:${here.port}/name\n`)
  t.match(here.banner, `Port ${redirect} leads here from plain HTTP.\n`)
  const { banner, port } = await started(t, ['--tls-cert', cert, '--tls-key', key, '--public', '--open'], PLAIN)
  t.match(banner, `or       curl https://pipe.example.org:${port}/name\n`)
})

t.test('without bare names it shows the prefix', async (t) => {
  const { banner, port } = await started(t, ['--no-bare-names', '--prefix', '/p'], PLAIN)
  t.match(banner, `or       curl http://127.0.0.1:${port}/p/name\n  browser  http://127.0.0.1:${port}/p/\n`)
  const receiver = curl([`http://127.0.0.1:${port}/p/name`])
  t.equal((await curlDone(['-d', 'x', `http://127.0.0.1:${port}/p/name`])).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'x')
})

t.test('names of this machine: those that lead to it, and none that is waited for', async (t) => {
  const here = ['192.0.2.7', '[fd00::7]']
  const names = (hostname: string, known: Readonly<Record<string, [address: string, family: number]>>) =>
    machineNames(here, {
      hostname,
      async lookup(name) {
        const found = known[name]
        if (found === undefined) throw new Error('ENOTFOUND')
        return [{ address: found[0], family: found[1] }]
      },
    })
  t.same(await names('Desk', { desk: ['127.0.1.1', 4], 'desk.local': ['192.0.2.7', 4] }), ['desk.local'])
  t.same(await names('desk', { desk: ['fd00::7', 6] }), ['desk'])
  t.same(await names('desk.example.org', { 'desk.example.org': ['192.0.2.9', 4] }), [])
  const never = { hostname: 'desk', lookup: () => new Promise<never>(() => {}) }
  t.same(await machineNames(here, never), [], 'a resolver that does not answer')
})

t.test('how to let others in, as this one was started', async (t) => {
  const { banner } = await started(t, [], { env: { NO_COLOR: '1', npm_lifecycle_event: 'start' } })
  t.match(banner, 'To let others in: npm start -- --public\n')
  const proxied = await started(t, ['--hosts', 'pipe.example.org'], PLAIN)
  t.match(proxied.banner, 'Only this machine reaches it, and who comes through a proxy on it.\n')
})
