/** Pages of other origins and a gateway without authentication, in a real Chromium: what no page may do, and what a listed one may. */
import { createServer } from 'node:http'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { definePlugin, PLUGIN_API, type Plugin, z } from '../../gateway/host/plugin-api.js'
import cors from '../../plugins/cors/index.js'
import progress from '../../plugins/progress/index.js'
import { Chromium } from '../support/browser.js'
import { type CurlRun, curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../support/gateway.js'
import { listenOnLoopback } from '../support/loopback.js'

const BODY = 'nobody else is to have this'
const BLOCKED = /./

const chromium = await Chromium.start(t, ['--host-resolver-rules=MAP *.test 127.0.0.1'])

/** To a gateway on 127.0.0.1 one of them is another site, the other another origin of the same site. */
const SITES = ['localhost', '127.0.0.1'] as const

/** An empty page of an origin of its own. */
async function pageOf(t: Test, site: string): Promise<{ page: Page; origin: string }> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end('<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title><body>')
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://${site}:${port}`
  // What is refused is told on the console; what this page can do is seen at the gateway.
  const { page } = await chromium.open(t, { expected: BLOCKED })
  await page.goto(`${origin}/`)
  return { page, origin }
}

/** Runs a script in the page, with the address as `url`. Resolves with what it returns, or with `blocked`. */
function within(page: Page, script: string, url: string): Promise<unknown> {
  return page.evaluate(`(async (url) => { ${script} })(${JSON.stringify(url)}).catch(() => 'blocked')`)
}

const element = (name: string, attributes: string) => `
  const element = Object.assign(document.createElement('${name}'), { ${attributes} })
  document.body.append(element)`

const form = (method: string, enctype: string, target: string) => `
  const form = Object.assign(document.createElement('form'), { method: '${method}', action: url, target: '${target}' })
  form.enctype = '${enctype}'
  form.innerHTML = '<input name="x" value="injected"><iframe name="frame"></iframe>'
  document.body.append(form)
  form.submit()`

/** Ways to make a browser ask for an address. */
const TAKING: Readonly<Record<string, string>> = {
  fetch: 'return await (await fetch(url)).text()',
  'fetch with credentials': "return await (await fetch(url, { credentials: 'include' })).text()",
  'no-cors fetch': "await (await fetch(url, { mode: 'no-cors' })).text()",
  'fetch without a referrer': "await fetch(url, { mode: 'no-cors', referrerPolicy: 'no-referrer' })",
  XMLHttpRequest: "const xhr = new XMLHttpRequest(); xhr.open('GET', url); xhr.send()",
  img: element('img', 'src: url'),
  script: element('script', 'src: url'),
  style: element('link', "rel: 'stylesheet', href: url"),
  prefetch: element('link', "rel: 'prefetch', href: url"),
  video: element('video', "src: url, preload: 'auto'"),
  iframe: element('iframe', 'src: url'),
  'sandboxed iframe': element('iframe', "src: url, sandbox: ''"),
  object: element('object', 'data: url'),
  'form GET': form('get', 'application/x-www-form-urlencoded', 'frame'),
  EventSource: 'new EventSource(url)',
  worker: 'new Worker(URL.createObjectURL(new Blob(["fetch(" + JSON.stringify(url) + ", { mode: \'no-cors\' })"])))',
}

/** Ways to make it send something. */
const INJECTING: Readonly<Record<string, string>> = {
  'fetch PUT': "await fetch(url, { method: 'PUT', body: 'injected' })",
  'fetch POST': "await fetch(url, { method: 'POST', body: 'injected' })",
  'no-cors POST': "await fetch(url, { method: 'POST', mode: 'no-cors', body: 'injected' })",
  sendBeacon: "navigator.sendBeacon(url, 'injected')",
  'form text/plain': form('post', 'text/plain', 'frame'),
  'form urlencoded': form('post', 'application/x-www-form-urlencoded', 'frame'),
  'form multipart': form('post', 'multipart/form-data', 'frame'),
  'form in a tab': form('post', 'text/plain', '_blank'),
  XMLHttpRequest: "const xhr = new XMLHttpRequest(); xhr.open('POST', url); xhr.send('injected')",
}

/** Resolves when the gateway has answered a request for this name with this status or code. */
function answered(gw: Running, name: string, ...outcomes: readonly (string | number)[]): Promise<void> {
  const of = () => gw.lines.filter(({ msg, path }) => msg === 'request' && String(path).endsWith(`/${name}`))
  const isSo = () =>
    of().some(({ code, status }) => outcomes.includes(code as string) || outcomes.includes(status as number))
  return eventually(() => isSo() || `${name}: ${JSON.stringify(of().map(({ status, code }) => [status, code]))}`)
}

/** The sender still waits, and whoever may receive gets all of it. */
async function isIntact(t: Test, gw: Running, sender: CurlRun, name: string, what: string): Promise<void> {
  t.notMatch(sender.stdoutText, /Streaming|complete/i, `${what}: the sender still waits`)
  t.equal((await curlDone(['-m', '3', gw.url(name)])).stdout.toString(), BODY, `${what}: nothing has been taken`)
  t.match(await sender.result, { code: 0 })
}

for (const site of SITES) {
  t.test(`no page of ${site} takes a stream`, async (t) => {
    const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
    for (const [what, script] of Object.entries(TAKING)) {
      await t.test(what, async (t) => {
        const name = `take-${what.replace(/\W/g, '-')}`
        const { page } = await pageOf(t, site)
        const sender = curl(['-T', '-', gw.url(name)], { input: BODY })
        await gw.holds(1, 0)
        void within(page, script, gw.url(name)).catch(() => {})
        const code = what === 'prefetch' ? 'ONLY_LOOKS' : 'CROSS_SITE'
        await Promise.race([answered(gw, name, code), sender.result])
        await isIntact(t, gw, sender, name, what)
      })
    }
  })

  t.test(`no page of ${site} puts anything into a stream`, async (t) => {
    const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
    for (const [what, script] of Object.entries(INJECTING)) {
      await t.test(what, async (t) => {
        const name = `put-${what.replace(/\W/g, '-')}`
        const { page } = await pageOf(t, site)
        const receiver = curl([gw.url(name)])
        await gw.holds(1, 0)
        void within(page, script, gw.url(name)).catch(() => {})
        // A preflight is answered with 204, and allows nothing.
        await Promise.race([answered(gw, name, 'CROSS_SITE', 204), receiver.result])
        await curlDone(['-d', BODY, '-m', '3', gw.url(name)])
        t.equal((await receiver.result).stdout.toString(), BODY, what)
      })
    }
  })

  t.test(`no page of ${site} sees what a name is doing`, async (t) => {
    const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
    const { page } = await pageOf(t, site)
    const sender = curl(['-T', '-', gw.url('seen')], { input: BODY })
    await gw.holds(1, 0)
    const looks = {
      '?status': 'return (await fetch(url)).status',
      'HEAD ?status': "return (await fetch(url, { method: 'HEAD' })).status",
      'no-cors ?status': "return String((await fetch(url, { mode: 'no-cors' })).type)",
      '?progress as JSON':
        "return (await fetch(url.replace('status', 'progress'), { headers: { accept: 'application/json' } })).status",
      '?progress as a page':
        "return (await fetch(url.replace('status', 'progress'), { headers: { accept: 'text/html' } })).status",
      '?progress as events': `return await new Promise((resolve) => {
        const events = new EventSource(url.replace('status', 'progress'))
        events.addEventListener('state', () => resolve('seen'))
        events.onerror = () => resolve('blocked')
      })`,
      '?status in a script': `${element('script', 'src: url')}
        return await new Promise((resolve) => { element.onload = () => resolve('loaded'); element.onerror = () => resolve('blocked') })`,
    }
    for (const [what, script] of Object.entries(looks)) {
      const before = gw.lines.length
      const seen = await within(page, script, gw.url('seen?status'))
      t.match(seen, what.startsWith('no-cors') ? 'opaque' : 'blocked', what)
      await eventually(() => gw.lines.length > before || 'nothing has been asked')
    }
    const seen = gw.lines.filter(({ msg, path }) => msg === 'request' && String(path).endsWith('/seen'))
    t.equal(seen.length, Object.keys(looks).length)
    for (const line of seen) t.match(line, { status: 403, code: 'CROSS_SITE' })
    await isIntact(t, gw, sender, 'seen', 'looking')
  })

  t.test(`a link on a page of ${site} shows a page, and takes nothing`, async (t) => {
    const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
    const { page } = await pageOf(t, site)
    const follow = async (target: string) => {
      await page.goBack().catch(() => {})
      await page.setContent(`<a href="${target}">follow</a>`)
      await Promise.all([page.waitForURL(target), page.click('a')])
    }
    const sender = curl(['-T', '-', gw.url('linked')], { input: BODY })
    await gw.holds(1, 0)
    await follow(gw.url('linked?progress'))
    t.match(await page.title(), /waiting/)
    await follow(gw.url(''))
    t.match(await page.title(), /Send/)
    const isReady = async () => (await page.title()) === 'Ready · linked' || `its title is ${await page.title()}`
    await follow(gw.url('linked?receive'))
    await eventually(isReady)
    await follow(gw.url('linked'))
    await eventually(isReady)
    t.notMatch(sender.stdoutText, /Streaming|complete/i, 'nothing has been taken')
    await page.click('#show')
    await eventually(async () => (await page.textContent('#text')) === BODY || 'its button receives')
    t.match(await sender.result, { code: 0 })
    await follow(gw.url('linked?status'))
    t.match(await page.textContent('body'), /^\[ERROR\] A page of another origin/)
  })
}

const SOCKET = `return await new Promise((resolve) => {
  const socket = new WebSocket(url.replace('http', 'ws'))
  socket.onopen = () => resolve('open')
  socket.onerror = () => resolve('blocked')
})`

t.test('no page of another origin is a peer of a duplex pipe, and the own ones may be', async (t) => {
  for (const site of SITES) {
    const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
    const { page } = await pageOf(t, site)
    // A WebSocket needs no preflight, and whoever waits would have met it.
    const peer = curl(['-sN', '-X', 'PUT', '-T', '.', gw.url('talk?duplex')])
    await eventually(() => gw.gateway.table.get('talk')?.duplex?.peers === 1 || 'the peer is not there')
    t.equal(await within(page, SOCKET, gw.url('talk?ws')), 'blocked', site)
    await answered(gw, 'talk', 'CROSS_SITE')
    t.match(gw.gateway.table.get('talk'), { state: 'waiting', duplex: { peers: 1 } }, 'the peer waits on')
    const { page: own } = await chromium.open(t)
    await own.goto(gw.url('talk?progress'))
    t.equal(await within(own, SOCKET, gw.url('talk?ws')), 'open', 'a page of this gateway')
    peer.kill()
  }
})

t.test('without the plugins that are loaded by default, too', async (t) => {
  const gw = await startGateway(t, { hosts: '' })
  const { page } = await pageOf(t, 'localhost')
  const sender = curl(['-T', '-', gw.url('bare')], { input: BODY })
  await gw.holds(1, 0)
  await within(page, TAKING.img!, gw.url('bare'))
  await answered(gw, 'bare', 'CROSS_SITE')
  // There is no page to show to who follows a link.
  await page.setContent(`<a href="${gw.url('bare')}">follow</a>`)
  await page.click('a')
  await eventually(async () => /^\[ERROR\]/.test((await page.textContent('body')) ?? '') || 'the link was not followed')
  await isIntact(t, gw, sender, 'bare', 'no plugins')
})

t.test('over plain HTTP, where browsers say less: nothing is sent or read, and the own pages work', async (t) => {
  const gw = await startGateway(t, { hosts: 'pipe.test' }, { plugins: await defaultPlugins() })
  const at = (path: string) => `http://pipe.test:${gw.port}/${path}`
  const { page } = await pageOf(t, 'evil.test')
  for (const what of ['no-cors POST', 'form text/plain', 'sendBeacon', 'fetch PUT']) {
    const name = `plain-${what.replace(/\W/g, '-')}`
    const receiver = curl([gw.url(name)])
    await gw.holds(1, 0)
    await within(page, INJECTING[what]!, at(name))
    await answered(gw, name, 'CROSS_SITE', 204)
    await curlDone(['-d', BODY, gw.url(name)])
    t.equal((await receiver.result).stdout.toString(), BODY, what)
  }
  t.equal(await within(page, 'return (await fetch(url)).status', at('x?status')), 'blocked')
  await answered(gw, 'x', 'CROSS_SITE')

  const { page: own } = await chromium.open(t)
  await own.goto(at('noscript?name=formed'))
  const receiver = curl([gw.url('formed')])
  await gw.holds(1, 0)
  await own.fill('#text', 'from a form')
  await own.click('main >> button:text("Send the text")')
  t.equal((await receiver.result).stdout.toString(), 'from a form', 'without scripts')
  const { page: sending } = await chromium.open(t)
  await sending.goto(at(''))
  const other = curl([gw.url('scripted')])
  await gw.holds(1, 0)
  await within(sending, "await fetch(url, { method: 'PUT', body: 'from a script' })", at('scripted'))
  t.equal((await other.result).stdout.toString(), 'from a script')
  await sending.goto(at('shown?receive'))
  const sender = curl(['-T', '-', gw.url('shown')], { input: BODY })
  await gw.holds(1, 0)
  await sending.click('#show')
  await eventually(async () => (await sending.textContent('#text')) === BODY || 'the page has not received it')
  await sender.result
})

/** Answers everything below `/claimed/`, and WebSockets. */
const claimer = definePlugin({
  name: 'claimer',
  api: PLUGIN_API,
  config: z.strictObject({}),
  setup: () => ({
    claims: [
      {
        claims: ({ path }) => path.startsWith('/claimed/'),
        handle: (_request, _body, reply) => void reply.give({ status: 200, headers: [], body: 'claimed' }),
        upgrade: (_request, offer) =>
          void offer.accept('', [], { onMessage() {}, onPing() {}, onDrain() {}, onClose() {} }),
      },
    ],
  }),
})

t.test('what a plugin claims: no WebSocket and nothing sent, but a link leads there', async (t) => {
  const gw = await startGateway(t, { hosts: '' }, { plugins: [{ plugin: claimer as unknown as Plugin }] })
  const { page } = await pageOf(t, 'localhost')
  t.equal(await within(page, SOCKET, `${gw.origin}/claimed/socket`), 'blocked')
  await answered(gw, 'claimed/socket', 'CROSS_SITE')
  await within(page, INJECTING['no-cors POST']!, `${gw.origin}/claimed/post`)
  await answered(gw, 'claimed/post', 'CROSS_SITE')
  await page.setContent(`<a href="${gw.origin}/claimed/link">follow</a>`)
  await page.click('a')
  await eventually(async () => (await page.textContent('body')) === 'claimed' || 'the link was not followed')
})

t.test('a site that is listed can do all of it', async (t) => {
  for (const site of SITES) {
    const { page, origin } = await pageOf(t, site)
    const plugins = [
      { plugin: cors as unknown as Plugin, config: { origins: [origin] } },
      { plugin: progress as unknown as Plugin, config: { frameAncestors: origin } },
      { plugin: claimer as unknown as Plugin },
    ]
    const gw = await startGateway(t, { hosts: '' }, { plugins })
    t.equal(await within(page, 'return (await (await fetch(url)).json()).state', gw.url('all?status')), 'idle')
    for (const [what, script] of Object.entries(TAKING)) {
      // It hides which page it is, and is not known for it.
      if (what === 'fetch without a referrer') continue
      // It has an origin that is nobody's.
      if (what === 'worker' || what === 'prefetch') continue
      const name = `take-${what.replace(/\W/g, '-')}`
      const sender = curl(['-T', '-', gw.url(name)], { input: BODY })
      await gw.holds(1, 0)
      void within(page, script, gw.url(name)).catch(() => {})
      t.match((await sender.result).stdout.toString(), /Transfer complete\./, what)
    }
    for (const [what, script] of Object.entries(INJECTING)) {
      const name = `put-${what.replace(/\W/g, '-')}`
      const receiver = curl([gw.url(name)])
      await gw.holds(1, 0)
      void within(page, script, gw.url(name)).catch(() => {})
      t.match((await receiver.result).stdout.toString(), /injected/, what)
    }
    t.equal(await within(page, SOCKET, `${gw.origin}/claimed/socket`), 'open')
    t.equal(await within(page, SOCKET, gw.url('talk?ws')), 'open')
    await within(page, element('iframe', "src: url, id: 'progress'"), gw.url('framed?progress'))
    const frame = page.frameLocator('#progress')
    await frame.getByText('Nobody is sending or receiving here.').first().waitFor()
  }
})

t.test('the dashboard is framed by nobody else', async (t) => {
  const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
  const { page } = await pageOf(t, 'localhost')
  await within(page, element('iframe', "src: url, id: 'progress'"), gw.url('framed?progress'))
  await answered(gw, 'framed', 200)
  await eventually(() => {
    const frame = page.frames().find((each) => each !== page.mainFrame())
    return frame?.url().startsWith('chrome-error:') || `the frame shows ${frame?.url()}`
  })
})
