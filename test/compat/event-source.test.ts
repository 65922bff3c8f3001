/** Topics in a real Chromium: an EventSource and a fetch that reads on, whose connections are cut, from this origin and from others. */
import { createServer } from 'node:http'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { Plugin } from '../../gateway/host/plugin-api.js'
import cors from '../../plugins/cors/index.js'
import { examplesOf } from '../docs/examples.js'
import { Chromium } from '../support/browser.js'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../support/gateway.js'
import { listenOnLoopback } from '../support/loopback.js'
import { readProject } from '../support/project.js'
import { Relay } from './relay.js'

/** What is cut or refused is told on the console. */
const expected = /./
/** A browser waits for some seconds before it connects again. */
const SOON = { timeoutMs: 30_000, everyMs: 20 }
const READY = { connecting: 0, closed: 2 } as const
/** It has been told of the cut, and tries again: once, or more often while nobody lets it in. */
const CONNECTING = new RegExp(`^\\[${READY.connecting}(?:,${READY.connecting})*\\]$`)

const chromium = await Chromium.start(t)

type Kind = 'source' | 'fetch'

interface Seen {
  readonly data: string
  readonly id?: string
}

/** What docs/topics.md shows. */
function shown(id: string): string {
  const found = examplesOf(readProject('docs/topics.md')).find((each) => each.id === id)
  if (found === undefined) throw new Error(`docs/topics.md has no ${id}`)
  return found.text.replace("'/deploys?topic'", 'url')
}

/** Pages as they are shown: they note what comes into `seen`, and what goes wrong into `errors`. */
const OPENS: Readonly<Record<Kind, string>> = {
  source: `
    const laterOpenItAgain = () => errors.push('open it again')
    const readTheState = () => states++
    const show = (data) => seen.push({ data, id: String(last) })
    ${shown('topic-page')}
    source.addEventListener('error', () => errors.push(source.readyState))`,
  fetch: `
    ${shown('topic-follow')}
    const show = (data) => seen.push({ data })
    const again = () => follow(url, 'a token', show).then(() => errors.push('a clean end'))
      .catch(({ name, message }) => errors.push(name + ': ' + message)).then(() => setTimeout(again, 50))
    again()`,
}

/** It goes on in the page: nothing is to be waited for. */
const open = (page: Page, kind: Kind, url: string) =>
  page.evaluate(
    `{ globalThis.seen = []; globalThis.errors = []; globalThis.states = 0; const url = ${JSON.stringify(url)}; ${OPENS[kind]}; undefined }`,
  )

/** The page has seen exactly these, in this order. */
function sees(page: Page, ...messages: Seen[]): Promise<void> {
  return eventually(async () => {
    const seen = JSON.stringify(await page.evaluate('globalThis.seen'))
    return seen === JSON.stringify(messages) || `it has seen ${seen}`
  }, SOON)
}

function fails(page: Page, how: RegExp): Promise<void> {
  return eventually(async () => {
    const errors = JSON.stringify(await page.evaluate('globalThis.errors'))
    return how.test(errors) || `errors: ${errors}`
  }, SOON)
}

const subscribersAre = (gw: Running, count: number) =>
  eventually(() => {
    const found = gw.gateway.table.get('news')?.topic?.subscribers ?? 0
    return found === count || `${found} subscribers`
  }, SOON)

const publish = (gw: Running, message: string) =>
  curlDone(['--data-binary', '@-', gw.url('news?topic')], { input: message })

/** Everything that is loaded by default, and cross-origin reading for these. */
async function start(t: Test, ...origins: string[]): Promise<Running> {
  const own = { plugin: cors as unknown as Plugin, config: { origins } }
  const others = (await defaultPlugins()).filter(({ plugin }) => plugin.name !== 'cors')
  return startGateway(t, {}, { plugins: [...(origins.length > 0 ? [own] : []), ...others] })
}

/** A page of the gateway itself, behind a relay. */
async function ownPage(t: Test): Promise<{ gw: Running; relay: Relay; page: Page }> {
  const gw = await start(t)
  const relay = await Relay.start(t, gw.port)
  const { page } = await chromium.open(t, { expected })
  await page.goto(`${relay.origin}/`)
  return { gw, relay, page }
}

/** An empty page of another origin. */
async function otherPage(t: Test): Promise<{ page: Page; origin: string }> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end('<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title><body>')
  })
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { page } = await chromium.open(t, { expected })
  await page.goto(`${origin}/`)
  return { page, origin }
}

t.test('an EventSource comes back after a cut, and its ids show what it has missed', async (t) => {
  const { gw, relay, page } = await ownPage(t)
  // Somebody else stays, and so does the topic with its count.
  const desk = curl(['-N', gw.url('news?topic')])
  await subscribersAre(gw, 1)
  await open(page, 'source', `${relay.origin}/news?topic`)
  await subscribersAre(gw, 2)
  await publish(gw, 'first')
  await publish(gw, 'two\r\nlines')
  await sees(page, { data: 'first', id: '1' }, { data: 'two\nlines', id: '2' })

  relay.down()
  await subscribersAre(gw, 1)
  await fails(page, CONNECTING)
  await publish(gw, 'missed')
  relay.up()
  await subscribersAre(gw, 2)
  t.match(relay.sent, /\r\nLast-Event-ID: 2\r\n/i, 'the browser says where it was')
  await publish(gw, 'fourth')
  await sees(page, { data: 'first', id: '1' }, { data: 'two\nlines', id: '2' }, { data: 'fourth', id: '4' })
  t.equal(await page.evaluate('states'), 3, 'it has read the state at each opening, and at the gap')
  desk.kill()
})

t.test('a topic that nobody kept begins again at 1', async (t) => {
  const { gw, relay, page } = await ownPage(t)
  await open(page, 'source', `${relay.origin}/news?topic`)
  await subscribersAre(gw, 1)
  await publish(gw, 'before')
  await sees(page, { data: 'before', id: '1' })
  relay.down()
  await subscribersAre(gw, 0)
  relay.up()
  await subscribersAre(gw, 1)
  await publish(gw, 'after')
  await sees(page, { data: 'before', id: '1' }, { data: 'after', id: '1' })
})

t.test('a gateway that stops and is there again is one more connection', async (t) => {
  const { gw, relay, page } = await ownPage(t)
  await open(page, 'source', `${relay.origin}/news?topic`)
  await subscribersAre(gw, 1)
  await publish(gw, 'before')
  await sees(page, { data: 'before', id: '1' })
  const next = await start(t)
  relay.target = next.port
  await gw.gateway.stop(0)
  await fails(page, CONNECTING)
  await subscribersAre(next, 1)
  await publish(next, 'after')
  await sees(page, { data: 'before', id: '1' }, { data: 'after', id: '1' })
})

t.test('a status that is no success is the end of an EventSource', async (t) => {
  const { gw, relay, page } = await ownPage(t)
  await open(page, 'source', `${relay.origin}/news?topic`)
  await subscribersAre(gw, 1)
  // While it is away the name becomes something else, so that it reads 409.
  relay.down()
  await subscribersAre(gw, 0)
  const pipe = curl([gw.url('news')])
  await gw.holds(1, 0)
  relay.up()
  await fails(page, new RegExp(`^\\[(?:${READY.connecting},)+"open it again",${READY.closed}\\]$`))
  pipe.kill()
})

t.test('a fetch that reads on is told of a cut, and asks again', async (t) => {
  const { gw, relay, page } = await ownPage(t)
  await open(page, 'fetch', `${relay.origin}/news?topic`)
  await subscribersAre(gw, 1)
  await publish(gw, 'first')
  await sees(page, { data: 'first' })
  relay.down()
  await fails(page, /^\["TypeError: [^"]+"/)
  await subscribersAre(gw, 0)
  relay.up()
  await subscribersAre(gw, 1)
  await publish(gw, 'second')
  await sees(page, { data: 'first' }, { data: 'second' })

  const next = await start(t)
  relay.target = next.port
  await gw.gateway.stop(0)
  await subscribersAre(next, 1)
  await fails(page, /^\["TypeError: [^"]+",.*"a clean end"/)
  await publish(next, 'third')
  await sees(page, { data: 'first' }, { data: 'second' }, { data: 'third' })
})

t.test('another origin hears nothing, and does not count as a subscriber', async (t) => {
  const gw = await start(t)
  const { page } = await otherPage(t)
  const refusals = () => gw.lines.filter(({ msg, code }) => msg === 'request' && code === 'CROSS_SITE').length
  await open(page, 'source', `${gw.origin}/news?topic`)
  await fails(page, new RegExp(`^\\["open it again",${READY.closed}\\]$`))
  t.equal(refusals(), 1)
  await open(page, 'fetch', `${gw.origin}/news?topic`)
  await fails(page, /^\["TypeError: Failed to fetch"/)
  t.equal(refusals(), 1, 'its preflight is allowed nothing')
  t.match((await publish(gw, 'for others')).stdout.toString(), 'Delivered to 0 subscriber(s).')
  t.same(await page.evaluate('seen'), [])
})

t.test('an origin that is listed hears everything, also after a cut', async (t) => {
  for (const kind of ['source', 'fetch'] as const) {
    const { page, origin } = await otherPage(t)
    const gw = await start(t, origin)
    const relay = await Relay.start(t, gw.port)
    const desk = curl(['-N', gw.url('news?topic')])
    await subscribersAre(gw, 1)
    await open(page, kind, `${relay.origin}/news?topic`)
    await subscribersAre(gw, 2)
    await publish(gw, 'first')
    const message = (data: string, id: string) => (kind === 'source' ? { data, id } : { data })
    await sees(page, message('first', '1'))
    relay.down()
    await subscribersAre(gw, 1)
    relay.up()
    await subscribersAre(gw, 2)
    await publish(gw, 'second')
    await sees(page, message('first', '1'), message('second', '2'))
    desk.kill()
  }
})
