/** What uWebSockets.js tells of a request: method, URL, query and headers. */

import type * as uws from 'uWebSockets.js'
import t from 'tap'
import { connect } from '../../support/raw.js'
import { head, serve } from '../app.js'
import { exchange, tellServer, told } from './http-requests.js'

t.jobs = 8

t.test(
  'unknown methods reach any(); without any() they are answered 404 on a connection that stays open',
  async (t) => {
    t.equal((await told(await tellServer(t), head('PROPFIND', '/'))).methodFirst, 'PROPFIND')
    const served = await serve(t, (app) => {
      app.get('/here', (res) => {
        res.end('here')
      })
    })
    const client = await connect(served)
    await client.send(head('PROPFIND', '/here'))
    await client.waitFor('404')
    // uWebSockets sends its 404 with a body and its length, so that the next answer has a place to start at.
    const missing = await client.waitForResponse()
    t.equal(missing.status, 404)
    await client.send(head('GET', '/here'))
    t.equal((await client.waitForResponse({ from: missing.end })).body.toString(), 'here')
    client.destroy()
  },
)

t.test('the method is given as it was written, unless getMethod() was called before', async (t) => {
  const served = await tellServer(t)
  const upper = await told(served, head('PUT', '/', 'Content-Length: 0'))
  t.equal(upper.methodFirst, 'PUT')
  t.equal(upper.method, 'put')
  t.equal(upper.methodAfterwards, 'put', 'getMethod() overwrote it in place')
  t.equal((await told(served, head('pUt', '/', 'Content-Length: 0'))).methodFirst, 'pUt')
})

t.test('the request object throws after the handler returned', async (t) => {
  let request: uws.HttpRequest | undefined
  const served = await serve(t, (app) => {
    app.any('/*', (res, req) => {
      request = req
      res.end('done')
    })
  })
  await exchange(served, head('GET', '/'))
  t.throws(() => request?.getUrl(), /must not be accessed after/)
  t.throws(() => request?.getHeader('host'), /must not be accessed after/)
})

t.test('getUrl() is raw: percent-encoding, dots and doubled slashes stay, the query is cut off', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/a%2Fb/../c//d/%zz?q'))).url, '/a%2Fb/../c//d/%zz')
})

t.test('raw bytes in the path are decoded as UTF-8, and those that are none become U+FFFD', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/\xc3\xa9'))).url, '/é')
  t.equal((await told(served, head('GET', '/\xe9z'))).url, '/\ufffdz')
})

t.test('getQuery() is the raw text, undefined without a question mark and empty after a bare one', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/a?x=%20+&y=%zz'))).query, 'x=%20+&y=%zz')
  t.equal((await told(served, head('GET', '/a?'))).query, '')
  t.equal((await told(served, head('GET', '/a'))).query, undefined)
})

t.test('getQuery(key) cannot tell a bare key from an absent one', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/a?x'))).queryX, undefined)
  t.equal((await told(served, head('GET', '/a?y'))).queryX, undefined)
  t.equal((await told(served, head('GET', '/a?x='))).queryX, '')
})

t.test('header values come as one character per byte, and bytes from 0x80 on are stripped at both ends', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/', 'X: a\xc3\xa9b'))).headerX, 'a\xc3\xa9b')
  t.equal((await told(served, head('GET', '/', 'X: \xc3\xa9b'))).headerX, 'b')
  t.equal((await told(served, head('GET', '/', 'X: a\xc3\xa9'))).headerX, 'a')
})

t.test(
  'of a repeated header getHeader() gives the first value and forEach() gives all, with names in lower case',
  async (t) => {
    const served = await tellServer(t)
    const seen = await told(served, head('GET', '/', 'X: one', 'x: two'))
    t.equal(seen.headerX, 'one')
    t.same(seen.headers.slice(1), [
      ['x', 'one'],
      ['x', 'two'],
    ])
  },
)

t.test('an absent and an empty header are both the empty string', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/'))).headerX, '')
  t.equal((await told(served, head('GET', '/', 'X:'))).headerX, '')
})

t.test('a raw tab and bytes from 0x7f on pass inside a value; a tab at an end is stripped', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/', 'X: a\tb'))).headerX, 'a\tb')
  t.equal((await told(served, head('GET', '/', 'X: \ta\t'))).headerX, 'a')
  t.equal((await told(served, head('GET', '/', 'X: a\x7f\xffb'))).headerX, 'a\x7f\xffb')
})
