/** What becomes of certificates when their files change. */

import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { CertificateFiles } from '../../support/certificate.js'
import { curl } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'
import { startProgram } from '../../support/program.js'
import { argsFor, exact, first, flagsFor, logged, make, second, shown, store, wild } from './certificates.js'

t.jobs = 2

/** A folder as certbot keeps it: two links, and what they lead to. */
class Live {
  readonly files: CertificateFiles
  readonly #dir: string
  #version = 0

  constructor(dir: string, content: CertificateFiles) {
    this.#dir = dir
    this.files = { cert: join(dir, 'fullchain.pem'), key: join(dir, 'privkey.pem') }
    this.put(content)
  }

  put(content: CertificateFiles): void {
    this.#version++
    this.#link('fullchain.pem', content.cert)
    this.#link('privkey.pem', content.key)
  }

  #link(name: string, from: string): void {
    const version = `${this.#version}-${name}`
    copyFileSync(from, join(this.#dir, version))
    symlinkSync(version, join(this.#dir, 'next'))
    renameSync(join(this.#dir, 'next'), join(this.#dir, name))
  }
}

/** A folder as Kubernetes mounts it: links through a link to the folder of this version, which is all that changes. */
class Mounted {
  readonly files: CertificateFiles
  readonly #dir: string
  #version = 0

  constructor(dir: string, content: CertificateFiles) {
    this.#dir = dir
    this.files = { cert: join(dir, 'tls.crt'), key: join(dir, 'tls.key') }
    this.put(content)
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(dir, name))
  }

  put({ cert, key }: CertificateFiles): void {
    const version = `..${++this.#version}`
    mkdirSync(join(this.#dir, version))
    copyFileSync(cert, join(this.#dir, version, 'tls.crt'))
    copyFileSync(key, join(this.#dir, version, 'tls.key'))
    symlinkSync(version, join(this.#dir, '..next'))
    renameSync(join(this.#dir, '..next'), join(this.#dir, '..data'))
  }
}

const RELOADED = 'certificates reloaded'
const KEPT = 'certificates not reloaded: those from before stay'

t.test('SIGHUP: new connections get the new certificates, and transfers go on', async (t) => {
  const live = new Live(t.testdir({}), first)
  const program = await startProgram(t, argsFor(live.files, exact))
  const { port } = program
  // One transfer that has begun with each generation, and one whose sides are of different ones.
  const send = (name: string) => curl(['-k', '-N', '-T', '.', program.url(name)])
  const receive = (name: string) => curl(['-k', '-N', program.url(name)])
  const sides = [{ sender: send('a'), receiver: receive('a') }]
  const early = send('mixed')
  await early.waitFor('Waiting')
  for (const [round, next] of [second, first, second].entries()) {
    for (const { sender, receiver } of sides) {
      sender.stdin.write(`begun before reload ${round}\n`)
      await receiver.waitFor(`begun before reload ${round}\n`)
    }
    live.put(next)
    program.kill('SIGHUP')
    await program.waitForLog(RELOADED, round + 1)
    const expected = next === first ? 'first' : 'second'
    t.equal(await shown(port), expected, 'without a name')
    t.equal(await shown(port, 'exact.wild.test'), 'exact', 'by name')
    const name = `round${round}`
    sides.push({ sender: send(name), receiver: receive(name) })
  }
  sides.push({ sender: early, receiver: receive('mixed') })
  for (const { sender, receiver } of sides) {
    sender.stdin.end('the end\n')
    t.equal((await sender.result).code, 0)
    const { code, stdout } = await receiver.result
    t.equal(code, 0)
    t.match(stdout.toString(), /^(begun before reload \d\n)*the end\n$/)
  }
  t.equal((await sides[0]!.receiver.result).stdout.toString().split('\n').length, 5, 'nothing is lost or doubled')
  t.ok(program.logged('request').every(({ remoteAddress }) => remoteAddress === '127.0.0.1'))
  t.same([program.stderr, program.logged(KEPT).length], ['', 0])
  const { code } = await program.endsAfter('SIGTERM')
  t.equal(code, 0)
})

t.test('bytes that are on their way while certificates change arrive as they were sent', async (t) => {
  const live = new Live(t.testdir({}), first)
  const { gateway, url, port } = await startGateway(t, flagsFor(live.files, exact))
  const receivers = [1, 2].map(() => curl(['-k', url('big?n=2')]))
  const sender = curl(['-k', '-N', '-T', '.', url('big?n=2')])
  await sender.waitFor('Streaming')
  const sent = createHash('sha256')
  for (let i = 0; i < 10; i++) {
    const piece = randomBytes(1024 * 1024)
    sent.update(piece)
    sender.stdin.write(piece)
    live.put(i % 2 === 0 ? second : first)
    gateway.reload()
    t.equal(await shown(port), i % 2 === 0 ? 'second' : 'first')
  }
  sender.stdin.end()
  t.equal((await sender.result).code, 0)
  const digest = sent.digest('hex')
  for (const receiver of receivers) {
    const { code, stdout } = await receiver.result
    t.equal(code, 0)
    t.equal(createHash('sha256').update(stdout).digest('hex'), digest)
  }
})

t.test('a file that changes is found without a signal', async (t) => {
  const [mounted, live] = [new Mounted(t.testdir({ other: {} }), first), new Live(join(t.testdirName, 'other'), exact)]
  const gateway = await startGateway(t, flagsFor(mounted.files, live.files))
  const { port } = gateway
  t.same([await shown(port), await shown(port, 'exact.wild.test')], ['first', 'exact'])
  mounted.put(second)
  t.match(await logged(gateway, RELOADED), { certificates: [{ names: ['localhost'], validTo: /^20/ }, {}] })
  t.same([await shown(port), await shown(port, 'exact.wild.test')], ['second', 'exact'])
  live.put(wild)
  await logged(gateway, RELOADED, 2)
  t.same([await shown(port, 'any.wild.test'), await shown(port, 'other.test')], ['wild', 'second'])
  // In place, without another file.
  const { cert, key } = first
  for (const [from, to] of [
    [cert, mounted.files.cert],
    [key, mounted.files.key],
  ] as const) {
    writeFileSync(to, readFileSync(from))
  }
  await logged(gateway, RELOADED, 3)
  t.equal(await shown(port), 'first')
})

t.test('files that cannot be served: one line in the log, and the certificate from before', async (t) => {
  const live = new Live(t.testdir({}), first)
  const gateway = await startGateway(t, flagsFor(live.files, exact))
  const { port, lines } = gateway
  const half = { cert: join(store, 'half.pem'), key: second.key }
  writeFileSync(half.cert, readFileSync(second.cert).subarray(0, 300))
  const stillServes = async () => {
    t.same([await shown(port), await shown(port, 'other.test')], ['first', 'exact'])
  }
  for (const [i, [spoil, problem]] of (
    [
      [
        () => live.put({ cert: second.cert, key: first.key }),
        /privkey\.pem does not belong to the first certificate in/,
      ],
      [() => live.put(half), /fullchain\.pem is not a certificate in PEM form$/],
      [() => live.put(exact), /exact\.pem is for exact\.wild\.test, and so is \S+fullchain\.pem; each name takes one$/],
      [() => rmSync(live.files.key), /^ENOENT: no such file or directory, stat '\S+privkey\.pem'$/],
      // Whoever opens it waits for somebody to write.
      [() => execFileSync('mkfifo', [live.files.key]), /privkey\.pem is not a plain file, and can be read only once$/],
    ] as const
  ).entries()) {
    spoil()
    gateway.gateway.reload()
    t.match(await logged(gateway, KEPT, i + 1), { level: 50, problem })
    await stillServes()
  }
  // And without a signal: found once, however often it is looked at.
  live.put({ cert: second.cert, key: wild.key })
  await logged(gateway, KEPT, 6)
  await sleep(2500)
  t.equal(lines.filter(({ msg }) => msg === KEPT).length, 6)
  await stillServes()
  live.put(second)
  await logged(gateway, RELOADED)
  t.equal(await shown(port), 'second')
})

t.test('certificates that are not valid now are served, with a warning', async (t) => {
  const DAY = 86_400_000
  const asn1 = (days: number) => new Date(Date.now() + days * DAY).toISOString().replace(/\.\d+|\W|T/g, '')
  const dated = (name: string, from: number, to: number) => make(name, `DNS:${name}.test`, [asn1(from), asn1(to)])
  const live = new Live(t.testdir({}), dated('early', 5, 50))
  const gateway = await startGateway(
    t,
    flagsFor(live.files, dated('late', -50, -5), dated('soon', -90, 5), dated('fine', -70, 30)),
  )
  const warnings = () => gateway.lines.filter(({ level }) => level === 40).map(({ names, msg }) => [names, msg])
  const others = [
    [['late.test'], 'a certificate has expired'],
    [['soon.test'], 'a certificate will soon expire'],
  ]
  t.same(warnings(), [[['early.test'], 'a certificate is not valid yet'], ...others])
  t.equal(await shown(gateway.port, 'late.test'), 'late')
  live.put(first)
  gateway.gateway.reload()
  t.same(warnings().slice(3), others, 'said again after a reload')
})
