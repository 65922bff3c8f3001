/** Streams as servers send them, read over a real connection. */

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readAddress } from '../../../client/wire/address.js'
import { Download } from '../../../client/wire/download/download.js'
import { responseTo } from '../../../client/wire/exchange.js'
import { reach } from '../../../client/wire/reach.js'
import { eventually } from '../../support/eventually.js'
import { bodyOf } from '../../support/tape.js'
import { type Answer, startScripted } from '../transfer/scripted-server.js'

const MIB = 1 << 20

async function open(t: Test, answer: Answer) {
  const { origin, heads } = await startScripted(t, answer)
  const place = { address: readAddress(`${origin}/name`)!, reach: await reach(new URL(origin), {}), headers: {} }
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const download = new Download(place, { method: 'GET', mode: 'n=1', signal: stop.signal })
  const response = await responseTo(download.request)
  return { download, response, stop, heads }
}

async function bodyFrom(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** Byte for byte, each in a packet of its own if the kernel lets it. */
async function slowly(socket: Socket, text: string) {
  for (const byte of text) {
    socket.write(byte, 'latin1')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('heads and bodies in all kinds of pieces', async (t) => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
  const ok = 'HTTP/1.1 200 OK\r\nX-Test: yes\r\n'
  const answers: Readonly<Record<string, { readonly text: string; readonly body: string; readonly cuts?: true }>> = {
    'a length': { text: `${ok}Content-Length: 5\r\n\r\nhello`, body: 'hello' },
    'chunks behind two interim heads': {
      text: `${early}HTTP/1.1 102 Processing\r\n\r\n${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
      body: 'hello',
    },
    'nothing, by its length': { text: `${ok}Content-Length: 0\r\n\r\n`, body: '' },
    'nothing, by chunks': { text: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, body: '' },
    'a rest': { text: 'HTTP/1.1 206 Rest\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nllo', body: 'llo' },
    'to the end of the connection': { text: `${ok}\r\nhello`, body: 'hello', cuts: true },
  }
  for (const [name, { text, body, cuts }] of Object.entries(answers)) {
    for (const isSlow of [false, true]) {
      await t.test(`${name}${isSlow ? ', byte for byte' : ''}`, async (t) => {
        const { download, response } = await open(t, async (socket) => {
          if (isSlow) await slowly(socket, text)
          else socket.write(text, 'latin1')
          if (cuts) socket.end()
        })
        t.equal((await bodyFrom(download.body(response))).toString(), body)
      })
    }
  }
})

t.test('a refusal is read by Node', async (t) => {
  const text =
    'HTTP/1.1 409 Conflict\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno\n\r\n0\r\n\r\n'
  const { response } = await open(t, (socket) => void slowly(socket, text))
  t.equal(response.statusCode, 409)
  let said = ''
  for await (const chunk of response) said += chunk
  t.equal(said, 'no\n')
  t.ok(response.complete)
})

t.test('one that is cut is told', async (t) => {
  const heads = ['Content-Length: 100000', 'Transfer-Encoding: chunked']
  for (const head of heads) {
    for (const way of ['end', 'resetAndDestroy'] as const) {
      const { download, response } = await open(t, (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhello\r\n`, () => socket[way]())
      })
      await t.rejects(bodyFrom(download.body(response)), { message: 'connection lost' }, `${head}, ${way}`)
    }
  }
  // How long it is nobody knows: a reset is no end.
  const { download, response } = await open(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\nhello', () => void sleep(20).then(() => socket.resetAndDestroy()))
  })
  await t.rejects(bodyFrom(download.body(response)), { message: 'connection lost' })
  const broken = await open(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello world\r\n')
  })
  await t.rejects(bodyFrom(broken.download.body(broken.response)), { message: /a chunk is broken/ })
})

t.test('cut before anybody asked for the first byte', async (t) => {
  const { download, response } = await open(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello', () => socket.destroy())
  })
  const body = download.body(response)
  await eventually(() => download.request.destroyed || 'Node has not seen that it is closed')
  await t.rejects(bodyFrom(body), { message: 'connection lost' })
})

t.test('who takes nothing for a while holds up the server, and loses no byte', async (t) => {
  const body = bodyOf(7, 64 * MIB)
  for (const isChunked of [false, true]) {
    let written = 0
    const { download, response } = await open(t, async (socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\n${isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`}\r\n\r\n`,
      )
      for (let at = 0, i = 0; at < body.length; i++) {
        const end = Math.min(body.length, at + [1, 700, 300_000][i % 3]!)
        if (isChunked) socket.write(`${(end - at).toString(16)}\r\n`)
        await new Promise<void>((resolve) => socket.write(body.subarray(at, end), () => resolve()))
        if (isChunked) socket.write('\r\n')
        at = end
        written = at
      }
      if (isChunked) socket.write('0\r\n\r\n')
    })
    const reading = download.body(response)[Symbol.asyncIterator]()
    const first = await reading.next()
    let [at, wasWritten] = [0, -1]
    const check = (piece: Buffer) => {
      if (!piece.equals(body.subarray(at, at + piece.length))) throw new Error(`other bytes at ${at}`)
      at += piece.length
    }
    check(first.value!)
    await eventually(
      () => {
        const isStill = written === wasWritten
        wasWritten = written
        return isStill || `${written} bytes and more`
      },
      { everyMs: 300 },
    )
    t.ok(written < 16 * MIB, `held after ${written} bytes`)
    for (let next = await reading.next(); !next.done; next = await reading.next()) check(next.value)
    t.equal(at, body.length)
  }
})

t.test('given up', async (t) => {
  const { download, response, stop } = await open(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello')
  })
  const reading = download.body(response)[Symbol.asyncIterator]()
  t.equal(`${(await reading.next()).value}`, 'hello')
  stop.abort()
  await t.rejects(reading.next(), { message: 'connection lost' })
  await eventually(() => download.request.destroyed || 'the connection is open')
})
