/** Peers of a duplex pipe whose connections come to different threads: the thread that has the name gets both, also from kept connections. */
import t from 'tap'
import { makeCertificate } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import type { Program } from '../../support/program.js'
import type { RawClient } from '../../support/raw.js'
import { closeFrame, frame, handshake, RawSocket, TEXT } from '../router/duplex/raw-socket.js'
import { Peer } from '../router/duplex/rig.js'
import { client, namesOf, request, startThreads } from './threads/rig.js'

const THREADS = 2

t.jobs = 2

/** Connections that have been in each thread before: whichever accepted one, it has moved. */
async function kept(program: Program, tls: boolean, count: number): Promise<RawClient[]> {
  const names = [0, 1].map((number) => namesOf(number, THREADS, 1)[0]!)
  const clients = await Promise.all(Array.from({ length: count }, () => client(program, tls)))
  for (const [i, each] of clients.entries()) {
    await each.send(request('HEAD', `/${names[i % THREADS]}`))
    await each.waitForResponse({ head: true })
  }
  return clients
}

/** What has come since then. */
class Since extends Peer {
  readonly #from: number

  constructor(raw: RawClient) {
    super(raw)
    this.#from = raw.receivedBytes
  }

  override get heard(): string {
    const text = this.raw.text.slice(this.#from)
    const body = text.slice(text.indexOf('\r\n\r\n') + 4)
    return [...body.matchAll(/[0-9a-f]+\r\n([a-z]+)/g)].map(([, word]) => word).join('')
  }
}

for (const tls of [false, true]) {
  t.test(`?duplex and ?ws${tls ? ', over TLS' : ''}`, async (t) => {
    const { cert, key } = makeCertificate(t.testdir({}))
    const program = await startThreads(t, THREADS, tls ? ['--tls-cert', cert, '--tls-key', key] : [])
    for (let round = 0; round < 8; round++) {
      const name = namesOf(round % THREADS, THREADS, 1, `d${round}-`)[0]!
      // A fresh one, and one that was in another thread.
      const pairOf = async () => [
        (await kept(program, tls, round % 3))[0] ?? (await client(program, tls)),
        (await kept(program, tls, 2))[1]!,
      ]
      const peers = (await pairOf()).map((raw) => new Since(raw!))
      for (const { raw } of peers)
        await raw.send(`PUT /${name}?duplex HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`)
      const [one, another] = peers as [Since, Since]
      await one.say('hello')
      await another.hears('hello')
      await another.say('yes')
      await one.hears('yes')
      await one.end()
      await another.end()
      for (const { raw } of peers) await eventually(() => raw.text.endsWith('\r\n0\r\n\r\n') || raw.text.slice(-80))
      // The same connections, for a name of the other thread.
      const next = namesOf((round + 1) % THREADS, THREADS, 1, `w${round}-`)[0]!
      for (const { raw } of peers) {
        const from = raw.text.length
        await raw.send(handshake(`${next}?ws`))
        await eventually(() => /HTTP\/1\.1 101 [\s\S]*\r\n\r\n/.test(raw.text.slice(from)) || raw.text.slice(from))
      }
      const sockets = peers.map(({ raw }) => new RawSocket(raw))
      await sockets[0]!.raw.send(frame(TEXT!, 'over there'))
      await sockets[1]!.hears('over there')
      await sockets[1]!.raw.send(closeFrame(4000))
      t.equal(await sockets[0]!.isClosed(), 4000)
    }
  })
}
