/** HTTPS through the real process: every byte, both framings, both orders. How transfers fail over TLS: endings-tls.test.ts. */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../../support/certificate.js'
import { type CurlRun, curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Program, runProgram, startProgram } from '../../support/program.js'
import { amount } from '../../support/thorough.js'

t.jobs = 3

const MIB = 1024 * 1024
const dir = t.testdir({ 'junk.pem': 'this is no PEM file\n', 'empty.pem': '' })
const file = (name: string) => join(dir, name)

for (const [name, ...algorithm] of [
  ['good'],
  ['other'],
  ['rsa', 'rsa:2048'],
  ['koblitz', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
] as const) {
  makeCertificate(dir, { name, ...(algorithm.length === 0 ? {} : { algorithm }) })
}
execFileSync(
  'openssl',
  ['pkey', '-in', file('good.key'), '-aes128', '-passout', 'pass:abcd', '-out', file('locked.key')],
  { stdio: 'pipe' },
)

/** What curl says of a transfer that was cut: partial file, failed write, failed read. */
const CUT = [18, 55, 56]

const BODIES = [0, 1, MIB, amount(4, 16) * MIB].map((size) => {
  // Bytes that do not repeat: one that is missing, doubled or in another place makes a difference.
  const bytes = randomBytes(size)
  const path = file(`body-${size}`)
  writeFileSync(path, bytes)
  return { size, path, bytes }
})
const LARGEST = BODIES.at(-1)!

function startTls(t: Parameters<typeof startProgram>[0], cert = 'good.pem', key = 'good.key'): Promise<Program> {
  return startProgram(t, ['--tls-cert', file(cert), '--tls-key', file(key)])
}

function https(...args: string[]): CurlRun {
  return curl(['-k', '-N', ...args])
}

async function health(program: Program): Promise<{ readonly waiting: number; readonly streaming: number }> {
  return JSON.parse((await curlDone(['-k', program.url('health')])).stdout.toString())
}

/** Starts receivers and waits until the gateway has joined them. */
async function receivers(program: Program, address: string, n: number): Promise<CurlRun[]> {
  const runs = Array.from({ length: n }, () => https('-v', address))
  for (const run of runs) await eventually(() => run.stderrText.includes('> GET') || `no request: ${run.stderrText}`)
  // Their requests are in the kernel; the gateway reads them before it has shaken hands with another client.
  await health(program)
  return runs
}

for (const framing of ['length', 'chunked'] as const) {
  for (const order of ['sender', 'receivers'] as const) {
    t.test(`every byte arrives: ${framing}, ${order} first`, async (t) => {
      const program = await startTls(t)
      for (const { size, path, bytes } of BODIES) {
        for (const n of [1, 3]) {
          const title = `${size} bytes to ${n}`
          const address = program.url(`name-${size}-${n}?n=${n}`)
          // An empty body is as good as one of a known length.
          const announced =
            framing === 'length' || size === 0 ? `< Content-Length: ${size}\r\n` : '< Transfer-Encoding: chunked\r\n'
          // From standard input: curl never ends an empty file that it is told to send in chunks.
          const send = () =>
            framing === 'length' ? https('-T', path, address) : curl(['-k', '-N', '-T', '-', address], { input: bytes })
          const early = order === 'sender' ? send() : undefined
          await early?.waitFor('Waiting')
          const receiving = await receivers(program, address, n)
          const sent = await (early ?? send()).result
          t.equal(sent.code, 0, `${title}: ${sent.stderr}`)
          const text = sent.stdout.toString()
          if (order === 'receivers') t.match(text, `[INFO] ${n} receiver(s) already connected.\n`, title)
          t.match(text, /Streaming to [\s\S]*Upload complete\.\n\[INFO\] Transfer complete\.\n$/, title)
          for (const run of receiving) {
            const { code, stdout, stderr } = await run.result
            t.equal(code, 0, title)
            t.ok(stdout.equals(bytes), `${title}: ${stdout.length} bytes, the same ones`)
            t.match(stderr, announced, title)
          }
        }
      }
    })
  }
}

t.test('a client that checks the certificate is content with it, and not with another', async (t) => {
  const program = await startTls(t)
  for (const host of ['localhost', '127.0.0.1']) {
    const address = `https://${host}:${program.port}/checked`
    const receiver = curl(['--cacert', file('good.pem'), address])
    const sender = await curlDone(['--cacert', file('good.pem'), '-d', 'x', address])
    t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'x'])
    t.equal((await curlDone(['--cacert', file('other.pem'), address])).code, 60)
  }
  t.equal((await curlDone(['-f', `http://127.0.0.1:${program.port}/help`])).code, 22, 'no HTTP on an HTTPS port')
  t.match(await health(program), { status: 'ok' })
})

t.test('an RSA certificate serves as well', async (t) => {
  const program = await startTls(t, 'rsa.pem', 'rsa.key')
  t.match(program.base, /^https:\/\//)
  t.match(await health(program), { status: 'ok' })
})

t.test('status lines and bytes arrive while the upload goes on', async (t) => {
  const program = await startTls(t)
  const sender = https('-T', '.', program.url('live'))
  await sender.waitFor('[INFO] Waiting for 1 receiver(s) to connect...\n')
  const receiver = https(program.url('live'))
  await sender.waitFor('[INFO] Streaming to 1 receiver(s)...\n')
  for (const piece of ['one', 'two']) {
    sender.stdin.write(piece)
    await receiver.waitFor(piece)
  }
  t.notMatch(sender.stdoutText, 'Upload complete')
  sender.stdin.end()
  t.same([(await sender.result).code, (await receiver.result).stdout.toString()], [0, 'onetwo'])
})

t.test('a slow receiver gets every byte, and so does the quick one beside it', async (t) => {
  const program = await startTls(t)
  const address = program.url('slow?n=2')
  const runs = [https(address), https('--limit-rate', '8M', address)]
  const sender = await https('-T', LARGEST.path, address).result
  t.equal(sender.code, 0, sender.stderr)
  for (const run of runs) {
    const { code, stdout } = await run.result
    t.equal(code, 0)
    t.ok(stdout.equals(LARGEST.bytes), `${stdout.length} bytes, the same ones`)
  }
  t.match(await health(program), { heldBytes: 0 })
})

t.test('a refusal is read in the middle of an upload', async (t) => {
  const program = await startTls(t)
  for (let i = 0; i < 5; i++) {
    const { stdout } = await https('-w', '%{http_code}', '-T', LARGEST.path, program.url('refused?n=0')).result
    t.match(stdout.toString(), /^\[ERROR\] .+\n400$/)
  }
  t.match(await health(program), { waiting: 0, streaming: 0 })
})

t.test('SIGTERM over TLS: waiting sides are told, a transfer finishes', async (t) => {
  const program = await startTls(t)
  const running = https(program.url('running'))
  const runner = https('-T', '.', program.url('running'))
  runner.stdin.write('begun, ')
  await running.waitFor('begun')
  const sender = https('-d', 'x', program.url('lonely'))
  const receiver = https('-w', '%{http_code}', program.url('idle'))
  await sender.waitFor('Waiting')
  await eventually(async () => (await health(program)).waiting === 2 || 'not both wait')
  program.kill('SIGTERM')
  const [sent, received] = await Promise.all([sender.result, receiver.result])
  t.ok(CUT.includes(sent.code ?? 0), `curl exits with ${sent.code}`)
  t.match(sent.stdout.toString(), /\n\[ERROR\] Server shutting down\.\n$/)
  t.match(received.stdout.toString(), /^\[ERROR\] Server shutting down\.\n503$/)
  runner.stdin.end('done')
  t.equal((await runner.result).code, 0)
  t.equal((await running.result).stdout.toString(), 'begun, done')
  const exit = await program.ends()
  t.same([exit.code, exit.signal, exit.stderr], [0, null, ''])
})

t.test('certificate and key that cannot be used: one line and exit code 1', async (t) => {
  const wrong: [cert: string, key: string, line: RegExp][] = [
    ['junk.pem', 'good.key', /junk\.pem is not a certificate in PEM form/],
    ['empty.pem', 'good.key', /empty\.pem is not a certificate in PEM form/],
    ['good.key', 'good.pem', /good\.key is not a certificate in PEM form/],
    ['good.pem', 'junk.pem', /junk\.pem is not a private key in PEM form/],
    ['good.pem', 'locked.key', /locked\.key is encrypted/],
    ['good.pem', 'other.key', /other\.key does not belong to the first certificate in .*good\.pem/],
    ['good.pem', 'rsa.key', /rsa\.key does not belong to the first certificate in .*good\.pem/],
    ['koblitz.pem', 'koblitz.key', /koblitz\.key is of a kind that cannot be served/],
    ['missing.pem', 'good.key', /--tls-cert: .*missing\.pem.*ENOENT/],
  ]
  for (const [cert, key, line] of wrong) {
    const exit = await runProgram(t, ['serve', '--port', '0', '--tls-cert', file(cert), '--tls-key', file(key)])
    t.same([exit.code, exit.stdout], [1, ''], `${cert} and ${key}`)
    t.match(exit.stderr, /^pipegate: [^\n]+\n$/)
    t.match(exit.stderr, line)
  }
  const half = await runProgram(t, ['serve', '--port', '0', '--tls-cert', file('good.pem')])
  t.equal(half.code, 1)
  t.match(half.stderr, /^pipegate: configuration: --tls-cert: found tlsCert without tlsKey[^\n]+\n$/)
})
