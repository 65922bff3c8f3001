/** Bytes that wait between OpenSSL and a socket: none is forgotten. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { installSocketHelper } from '../../../gateway/native/socket-helper.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { DATA, ForgedClient } from './forged-client.js'

t.test(
  'what was decrypted and not asked for yet: a request behind another one, in records that do not end where reads do',
  async (t) => {
    const gateway = await startGateway(t, {}, { tls: true })
    const client = await ForgedClient.connect(t, gateway.port)
    const body = randomBytes(19_000).toString('latin1')
    const next = `PUT /behind HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    await client.send(client.record(DATA, 'GET /first HTTP/1.1\r\nHost: x\r\n\r\n'))
    await gateway.holds(1, 0)
    // 16 KiB are read ahead, in one read: the second record is torn.
    await client.send(client.record(DATA, next.slice(0, 10_000)), client.record(DATA, next.slice(10_000)))
    const receiver = curl(['-k', gateway.url('behind')])
    await gateway.holds(2, 0)
    await curlDone(['-k', '-d', 'over', gateway.url('first')])
    t.equal((await receiver.result).stdout.toString('latin1'), body)
    await eventually(() => client.received.includes('Transfer complete.') || client.received)
  },
)

t.test('what was encrypted and not taken: short messages to a receiver that stops reading, and goes on', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const { sockets } = installSocketHelper(true)
  const receiver = await gateway.connect()
  await receiver.send('GET /talk HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(1, 0)
  const sender = await gateway.connect()
  await sender.send('PUT /talk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  await gateway.holds(0, 1)
  receiver.pause()
  let sent = ''
  const say = async (text: string) => {
    sent += text
    await sender.send(`${text.length.toString(16)}\r\n${text}\r\n`)
  }
  await eventually(
    async () => {
      await say(randomBytes(1500).toString('hex'))
      return sockets.keptEncrypted() > 0 || 'all of it has been taken'
    },
    { everyMs: 0 },
  )
  for (let i = 0; i < 20; i++) await say(randomBytes(1500).toString('hex'))
  await sender.send('0\r\n\r\n')
  receiver.resume()
  const { body, complete } = await receiver.waitForResponse()
  t.ok(complete)
  t.ok(body.toString('latin1') === sent, `${body.length} bytes, and ${sent.length} were sent`)
  t.equal(sockets.keptEncrypted(), 0)
})
