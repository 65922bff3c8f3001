/** What uWebSockets.js accepts when the limit of a request head was raised before the module was loaded. */

import t from 'tap'
import { connect, parseResponse } from '../../support/raw.js'

// The module reads this once, when it is loaded; a static import would load it before this line runs.
process.env.UWS_HTTP_MAX_HEADERS_SIZE = '65536'
const { head, serve } = await import('../app.js')

async function longestHeader(t: Parameters<typeof serve>[0], request: string): Promise<string> {
  const served = await serve(t, (app) => {
    app.any('/*', (res, req) => {
      res.end(req.getHeader('x'))
    })
  })
  const client = await connect(served)
  await client.send(request)
  const response = await client.waitForResponse()
  client.destroy()
  return response.body.toString()
}

t.test('UWS_HTTP_MAX_HEADERS_SIZE set before a dynamic import raises the limit of a request head', async (t) => {
  const long = 'v'.repeat(8 * 1024)
  t.equal(await longestHeader(t, head('GET', '/', `X: ${long}`)), long)
  const longest = 'v'.repeat(60_000)
  t.equal(await longestHeader(t, head('GET', '/', `X: ${longest}`)), longest)
})

t.test('a head above the raised limit is answered 431 and a close', async (t) => {
  const served = await serve(t, () => {})
  const client = await connect(served)
  await client.send(head('GET', '/', `X: ${'v'.repeat(66_000)}`))
  await client.waitForClose()
  t.equal(parseResponse(client.received).status, 431)
})

t.test('the limit of 98 header lines stays', async (t) => {
  const served = await serve(t, () => {})
  const client = await connect(served)
  await client.send(head('GET', '/', ...Array.from({ length: 98 }, (_, i) => `X-${i}: v`)))
  await client.waitForClose()
  t.equal(parseResponse(client.received).status, 431)
})
