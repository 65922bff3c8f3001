/** Pages of another origin, in a real Chromium: what they may do, and what they can read. */
import { createServer } from 'node:http'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { Plugin } from '../../gateway/host/plugin-api.js'
import bearer from '../../plugins/auth-bearer/index.js'
import cors from '../../plugins/cors/index.js'
import { Chromium, type TabOptions } from '../support/browser.js'
import { curl, curlDone } from '../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../support/gateway.js'
import { listenOnLoopback } from '../support/loopback.js'
import { connect } from '../support/raw.js'

const TOKEN = 'pg_a-token-that-is-long-enough-for-this'
/** Where an answer is no success, Chromium says so on its console. */
const FAILS = /Failed to load resource|net::ERR_/
const BLOCKED = /blocked by CORS policy|Failed to load resource/

const chromium = await Chromium.start(t)

/** A gateway with the default plugins that lets pages of this origin in: what a user has to configure for them. */
async function gatewayFor(t: Test, origin: string): Promise<Running> {
  const own = { plugin: cors as unknown as Plugin, config: { origins: [origin] } }
  return startGateway(
    t,
    {},
    { plugins: [own, ...(await defaultPlugins()).filter(({ plugin }) => plugin.name !== 'cors')] },
  )
}

/** An empty page, on a server and thus an origin of its own. */
async function elsewhere(t: Test, options: TabOptions = {}): Promise<{ page: Page; origin: string }> {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', request.url === '/' ? 'text/html' : 'text/plain')
    response.end('<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title><body>')
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${port}`
  const { page } = await chromium.open(t, options)
  await page.goto(`${origin}/`)
  return { page, origin }
}

/** Runs a script in the page; `args` are there as `a`, `b`… Rejects with what it throws. */
function within<T>(page: Page, script: string, ...args: readonly unknown[]): Promise<T> {
  const names = args.map((_, i) => String.fromCharCode(97 + i)).join(', ')
  return page.evaluate(`(async (${names}) => { ${script} })(${args.map((each) => JSON.stringify(each)).join(', ')})`)
}

t.test('a page sends: preflight, status lines and ids', async (t) => {
  const { page, origin } = await elsewhere(t)
  const gw = await gatewayFor(t, origin)
  for (const credentials of ['omit', 'include']) {
    const receiver = curl([gw.url('up')])
    await gw.holds(1, 0)
    const seen = await within<Record<string, string>>(
      page,
      `const bytes = new Uint8Array(300_000).map((_, i) => i % 251)
       const headers = { 'X-Piping': 'meta', 'X-Pipe-Size': '300000', Authorization: 'Bearer of nothing' }
       const response = await fetch(a, { method: 'PUT', body: new Blob([bytes]), headers, credentials: b })
       return { text: await response.text(), id: response.headers.get('X-Pipe-Transfer-Id') }`,
      gw.url('up'),
      credentials,
    )
    t.match(seen.text, /^\[INFO\] Waiting for 1 receiver\(s\)[\s\S]*\[INFO\] Transfer complete\.\n$/)
    t.match(seen.id, /^[\w-]{16,64}$/)
    t.ok((await receiver.result).stdout.equals(Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))))
  }
})

t.test('a page receives, and reads what the sender said of it', async (t) => {
  const { page, origin } = await elsewhere(t)
  const gw = await gatewayFor(t, origin)
  for (const credentials of ['omit', 'include']) {
    const receiving = within<unknown>(
      page,
      `const response = await fetch(a, { credentials: b })
       const names = ['X-Piping', 'X-Hoody-Pipe', 'Content-Disposition', 'Content-Type']
       const bytes = new Uint8Array(await response.arrayBuffer())
       return [names.map((name) => response.headers.get(name)), bytes.length, bytes.every((byte, i) => byte === 120)]`,
      gw.url('down?filename=x.bin'),
      credentials,
    )
    await gw.holds(1, 0)
    const body = 'x'.repeat(200_000)
    const headers = ['X-Piping: meta', 'X-Hoody-Pipe: more', 'Content-Type: image/png'].flatMap((each) => ['-H', each])
    t.equal((await curlDone([...headers, '--data-binary', '@-', gw.url('down')], { input: body })).code, 0)
    t.same(await receiving, [['meta', 'more', 'attachment; filename=x.bin', 'image/png'], 200_000, true])
  }
})

t.test('a page reads why it was refused, and notices a stream that is cut', async (t) => {
  const plugins = [
    { plugin: bearer as unknown as Plugin, config: { tokens: [{ name: 'me', token: TOKEN }] } },
    ...(await defaultPlugins()),
  ]
  const gw = await startGateway(t, {}, { plugins })
  const { page } = await elsewhere(t, { expected: FAILS })
  const ask = `const headers = b === '' ? {} : { Authorization: 'Bearer ' + b }
     const response = await fetch(a, { headers })
     const of = ['X-Pipe-Code', 'WWW-Authenticate'].map((name) => response.headers.get(name))
     return [response.status, ...of, await response.text()]`
  const [status, code, challenge, text] = await within<string[]>(page, ask, gw.url('jobs'), '')
  t.same([status, code], [401, 'AUTH_BEARER_MISSING'])
  t.match(challenge, /^Bearer/)
  t.match(text, /^\[ERROR\] This gateway asks for a token/)
  t.same((await within<string[]>(page, ask, gw.url('jobs?n=0'), TOKEN)).slice(0, 2), [400, 'BAD_PARAMETER'])

  const cut = within<string>(page, `${ask.replace('return', 'return String(')}).length`, gw.url('cut'), TOKEN)
  const failed = t.rejects(cut, /TypeError/, 'the body does not end well')
  await gw.holds(1, 0)
  const sender = await connect({ port: gw.port })
  const head = `PUT /cut HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 10\r\n\r\nhello`
  await sender.send(head)
  await sender.waitFor('Streaming to 1')
  sender.destroy()
  await failed
})

t.test('a page watches, with and without credentials', async (t) => {
  const { page, origin } = await elsewhere(t)
  const gw = await gatewayFor(t, origin)
  for (const withCredentials of [false, true]) {
    const watching = within<string[]>(
      page,
      `const events = new EventSource(a, { withCredentials: b })
       const seen = []
       for (const name of ['state', 'progress']) events.addEventListener(name, (e) => seen.push(name))
       globalThis.opened = new Promise((resolve) => events.addEventListener('state', resolve, { once: true }))
       return await new Promise((resolve) => events.addEventListener('done', (e) => {
         events.close()
         resolve([seen[0], JSON.parse(e.data).state, String(e.lastEventId === JSON.parse(e.data).transferId)])
       }))`,
      gw.url(`watched-${withCredentials}?progress`),
      withCredentials,
    )
    await page.waitForFunction('globalThis.opened !== undefined')
    await page.evaluate('globalThis.opened')
    const receiver = curl([gw.url(`watched-${withCredentials}`)])
    await curlDone(['-d', 'hello', gw.url(`watched-${withCredentials}`)])
    await receiver.result
    t.same(await watching, ['state', 'complete', 'true'])
    await page.evaluate('delete globalThis.opened')
  }
})

t.test('a list of origins keeps the other pages out, and lets these in', async (t) => {
  const own = await elsewhere(t)
  const other = await elsewhere(t, { expected: BLOCKED })
  const plugins = [{ plugin: cors as unknown as Plugin, config: { origins: [own.origin] } }]
  const gw = await startGateway(t, {}, { plugins })
  const look = "return (await fetch(a, { credentials: 'include' })).status"
  t.equal(await within(own.page, look, gw.url('health')), 200)
  await t.rejects(within(other.page, look, gw.url('health')), /Failed to fetch/)
  const send = "return (await fetch(a, { method: 'PUT', body: 'x' })).status"
  await t.rejects(within(other.page, send, gw.url('jobs')), /Failed to fetch/)
  t.equal(gw.gateway.table.waiting, 0, 'the preflight has kept it from sending')
})

t.test('forms without scripts send what is typed into them', async (t) => {
  const { page, origin } = await elsewhere(t, { expected: FAILS })
  const gw = await gatewayFor(t, origin)
  const forms = [
    ['text/plain', 'note=two words\r\n'],
    ['application/x-www-form-urlencoded', 'note=two+words'],
  ] as const
  for (const [enctype, sent] of forms) {
    const receiver = curl(['-i', '--raw', gw.url('form')])
    await gw.holds(1, 0)
    await page.setContent(
      `<form method="post" enctype="${enctype}" action="${gw.url('form')}"><input name="note"><button>Send</button></form>`,
    )
    await page.fill('input', 'two words')
    await page.click('button')
    await page.waitForFunction("document.body.innerText.includes('Transfer complete.')")
    const text = (await receiver.result).stdout.toString()
    t.equal(text.slice(text.indexOf('\r\n\r\n') + 4), sent, enctype)
    t.match(text, `Content-Type: ${enctype}`)
    await page.goBack()
  }
  const receiver = curl(['-i', '--raw', gw.url('form')])
  await gw.holds(1, 0)
  await page.setContent(
    `<form method="post" enctype="multipart/form-data" action="${gw.url('form')}"><input type="file" name="f"><button>Send</button></form>`,
  )
  const buffer = Buffer.from('of a file')
  await page.setInputFiles('input', { name: 'Ä report.txt', mimeType: 'text/plain', buffer })
  await page.click('button')
  await page.waitForFunction("document.body.innerText.includes('Transfer complete.')")
  const text = (await receiver.result).stdout.toString('latin1')
  t.match(text, /\r\nContent-Disposition: attachment; .*filename\*=UTF-8''%C3%84%20report\.txt\r\n/)
  t.match(text, /\r\n9\r\nof a file\r\n0\r\n\r\n$/)
})
