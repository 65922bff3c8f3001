/** Clients that upload see their refusal, whether they read early or late. */

import { truncateSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import t from 'tap'
import type { Failure } from '../../../../core/index.js'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { type CurlOptions, curlDone } from '../../../support/curl.js'
import { startGateway } from '../../../support/gateway.js'
import { connect } from '../../../support/raw.js'
import { type Ask, answer, checkText, get, nameOf, open, put, wire } from './rig.js'

/** Never ends by itself. */
function endlessInput(): Readable {
  const block = Buffer.alloc(64 * 1024, 'x')
  return new Readable({
    highWaterMark: 1024 * 1024,
    read() {
      this.push(block)
    },
  })
}

const FILE_BYTES = 100_000_000
/** What may be under way before curl has read its answer: the kernel's buffers, and a little. */
const FEW_BYTES = 16_000_000

t.test('an uploading curl sees the refusal at once and stops', async (t) => {
  const gw = await startGateway(t)
  const big = `${t.testdir({})}/big`
  writeFileSync(big, '')
  truncateSync(big, FILE_BYTES)
  const waiting = await open(gw, get('/taken?n=3'))
  await gw.holds(1, 0)
  const refusals: [address: string, headers: string[], status: number, code: string][] = [
    ['p?n=0', [], 400, 'BAD_PARAMETER'],
    ['taken?n=2', [], 400, 'N_MISMATCH'],
    ['help', [], 400, 'RESERVED_NAME'],
    [`${'x'.repeat(1025)}`, [], 414, 'NAME_TOO_LONG'],
    ['p', ['-H', 'Content-Range: bytes 0-1/2'], 400, 'CONTENT_RANGE'],
  ]
  const uploads: [source: string, input: () => CurlOptions][] = [
    ['-', () => ({ input: endlessInput() })],
    [big, () => ({})],
  ]
  const runs = refusals.flatMap(([address, headers, status, code], i) =>
    uploads.flatMap(([source, input]) =>
      // Without Expect, curl begins to upload before it can know.
      [[], ['-H', 'Expect:']].map(async (expect, j) => {
        const fails = (i + j) % 2 === 0
        const report = '\n%{http_code} %{size_upload} %header{x-pipe-code}'
        const more = fails ? ['--fail'] : []
        const args = ['-T', source, ...expect, ...headers, ...more, '-m', '9', '-w', report, gw.url(address)]
        const name = `${code} ${source === '-' ? 'endless' : 'file'} ${expect.join('')} ${more.join('')}`
        const result = await curlDone(args, input())
        const [line, , numbers] = fails ? ['', '', lastLine(result.stdout)] : result.stdout.toString().split('\n')
        const [seen, uploaded, codeSeen] = (numbers ?? '').split(' ')
        t.equal(result.code, fails ? 22 : 0, `${name}: exit code ${result.stderr}`)
        t.same([seen, codeSeen], [String(status), code], `${name}: status and code`)
        if (!fails) t.match(line, /^\[ERROR\] /, `${name}: the line`)
        t.ok(Number(uploaded) < FEW_BYTES, `${name}: uploaded only ${uploaded}`)
      }),
    ),
  )
  await Promise.all(runs)
  t.equal(gw.gateway.table.waiting, 1)
  waiting.destroy()
  await waiting.waitForClose()
})

function lastLine(output: Buffer): string {
  return output.toString().split('\n').at(-1)!
}

t.test('a client that reads only when it has written everything gets the whole answer', async (t) => {
  const gw = await startGateway(t)
  const waiting = await open(gw, put('/taken', 'first'))
  await gw.holds(1, 0)
  const body = 'y'.repeat(8_000_000)
  const chunk = 'z'.repeat(500_000)
  const chunked = `${`${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(16)}0\r\n\r\n`
  const bodies: [string, string][] = [
    [`Content-Length: ${body.length}`, body],
    ['Transfer-Encoding: chunked', chunked],
  ]
  const asks: [Ask, Failure][] = [
    [{ method: 'PUT', target: '/p?wait=x' }, FAILURES.badParameter],
    [{ method: 'POST', target: '/taken' }, FAILURES.senderExists],
    [{ method: 'PUT', target: '/a/../b' }, FAILURES.badName],
    [{ method: 'GET', target: '/p?n=0' }, FAILURES.badParameter],
  ]
  for (const [ask, row] of asks) {
    for (const [framing, sent] of bodies) {
      const client = await connect({ port: gw.port, pauseOnConnect: true })
      await client.send(wire({ ...ask, headers: [framing], body: sent }))
      t.equal(client.errorCode, undefined, 'the whole body could be written')
      t.equal(client.receivedBytes, 0, 'nothing was read before')
      client.resume()
      const response = await client.waitForResponse()
      checkText(t, `${nameOf(ask)} ${framing}`, response, { row, says: /./ })
      t.same(response.headers.connection, ['close'], 'the client is asked to close')
      client.destroy()
    }
  }
  t.equal((await answer(gw, get('/taken'))).response.body.toString(), 'first')
  await waiting.waitFor('Transfer complete.')
  waiting.destroy()
})
