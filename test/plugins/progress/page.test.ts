/**
 * The dashboard in a real browser: before a server that says what the test wants, and before the gateway. No problem on the
 * console, and nothing that the page's policy forbids, is left unseen.
 */

import { type AddressInfo, createServer } from 'node:net'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import links from '../../../plugins/links/index.js'
import { sign } from '../../../plugins/links/signature.js'
import pages from '../../../plugins/pages/index.js'
import progress from '../../../plugins/progress/index.js'
import { IDLE } from '../../../plugins/transfer-status/idle.js'
import type { Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { Chromium, type TabOptions } from '../../support/browser.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { Program } from '../../support/program.js'
import { amount } from '../../support/thorough.js'
import { picture, schemesAt } from '../looks.js'
import { event, ScriptedEvents } from './scripted-events.js'

const NAME = 'backups/tuesday'
const OWNER = newToken()

/** A browser on a machine that is three times slower. */
t.setTimeout(300_000)

const chromium = await Chromium.start(t)

const WAITING: Snapshot = { ...IDLE, state: 'waiting', receivers: 1, activeReceivers: 1, totalReceivers: 3 }
const STREAMING: Snapshot = {
  ...IDLE,
  state: 'streaming',
  transferId: 'transfer-number-one',
  hasSender: true,
  bytes: 3_213_000_000,
  totalBytes: 7_600_000_000,
  speed: 283_400,
  avgSpeed: 271_000,
  eta: 15_600,
  elapsed: 11_400,
  receivers: 2,
  activeReceivers: 2,
  totalReceivers: 2,
  startedAt: Date.now() - 11_400_000,
}
const ANSWERING: Snapshot = {
  ...IDLE,
  state: 'streaming',
  kind: 'ask',
  ask: true,
  waitingAskers: 3,
  waitingWorkers: 0,
  unanswered: 2,
  hasSender: true,
  bytes: 48_300,
  receivers: 2,
  activeReceivers: 2,
  totalReceivers: null,
  startedAt: Date.now() - 2000,
  elapsed: 2,
}
const TALKING: Snapshot = {
  ...IDLE,
  state: 'streaming',
  kind: 'duplex',
  duplex: true,
  peers: 2,
  webSockets: 1,
  saidBytes: [1200, 3_400_000],
  protocol: null,
  hasSender: true,
  bytes: 3_401_200,
  speed: 12_000,
  receivers: 2,
  activeReceivers: 2,
  totalReceivers: null,
  startedAt: Date.now() - 90_000,
  elapsed: 90,
}
const COMPLETE: Receipt = {
  state: 'complete',
  transferId: 'transfer-number-one',
  bytes: 7_600_000_000,
  bytesTransferred: 7_600_000_000,
  totalBytes: 7_600_000_000,
  duration: 28_920,
  durationSec: 28_920,
  avgSpeed: 283_000,
  receivers: 2,
  totalReceivers: 2,
  reason: null,
  message: null,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  startedAt: Date.now() - 28_980_000,
  endedAt: Date.now() - 60_000,
}
const FAILED: Receipt = {
  ...COMPLETE,
  state: 'failed',
  bytes: 1_200_000_000,
  duration: 11_100,
  sha256: null,
  reason: 'sender_left',
  message: 'The sender disconnected.',
}
const COMPLETE_LINE = 'All 2 receivers have all of it: 7.6 GB in 8 h 2 m, 283 kB/s on average.'
const FAILED_LINE = 'The sender left at 15 %. Ask for it again.'
const HISTORY = event('history', {
  everySec: 57,
  speeds: Array.from({ length: 200 }, (_, i) => (i > 90 && i < 100 ? 0 : 283_000 + 150_000 * Math.sin(i / 9))),
})

interface Watching {
  readonly page: Page
  readonly server: ScriptedEvents
}

interface WatchOptions extends TabOptions {
  readonly welcome?: string
  /** The page's clock stands still until the test moves it. */
  readonly frozen?: boolean
}

/** A page that has begun to listen to a server with this state. */
async function watch(
  t: Test,
  snapshot: Snapshot,
  { welcome = '', frozen = false, ...options }: WatchOptions = {},
): Promise<Watching> {
  const server = await ScriptedEvents.start(t)
  server.snapshot = snapshot
  server.welcome = welcome
  const { page } = await chromium.open(t, options)
  if (frozen) await freeze(page)
  await page.goto(server.url(NAME))
  if (options.javaScriptEnabled !== false) await server.heardBy(1)
  return { page, server }
}

/** The page's clock goes ten seconds ahead, and stands still there until the test moves it. */
async function freeze(page: Page): Promise<void> {
  await page.clock.install()
  await page.clock.pauseAt(Date.now() + 10_000)
}

/** Waits until the element has this text; white space counts as one space. */
function reads(page: Page, selector: string, text: string | RegExp): Promise<void> {
  return eventually(
    async () => {
      const found = ((await page.textContent(selector)) ?? '').replace(/\s+/g, ' ').trim()
      const isIt = typeof text === 'string' ? found === text : text.test(found)
      return isIt || `${selector} reads "${found}", not ${text}`
    },
    // Each look is a round trip through two programs.
    { timeoutMs: 30_000, everyMs: 40 },
  )
}

const says = (page: Page, field: string, text: string | RegExp) => reads(page, `[data-field="${field}"]`, text)

/** What a screen reader has been told since the call. */
async function announcements(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`{
    window.announced = []
    const live = document.querySelector('#live')
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const { data } of addedNodes) announced.push(data)
    }).observe(live, { childList: true })
  }`)
  return () => page.evaluate('announced')
}

t.test('waiting, streaming, complete: each says what there is to know', async (t) => {
  const { page, server } = await watch(t, IDLE)
  await says(page, 'headline', 'Idle')
  await says(page, 'sentence', 'Nobody is sending or receiving here.')
  t.equal(await page.isVisible('progress'), false, 'there is nothing to measure')

  server.state(WAITING)
  await says(page, 'headline', 'Waiting')
  await says(page, 'sentence', 'Waiting for the sender and 2 more receivers.')
  await says(page, 'receivers', '1 of 3')
  t.match(await page.title(), `waiting · ${NAME}`)
  server.state({ hasSender: true })
  await says(page, 'sentence', 'Waiting for 2 more receivers.')
  server.state({ receivers: 3, hasSender: false })
  await says(page, 'sentence', 'Waiting for the sender.')
  t.equal(await page.isVisible('#chart'), false)

  const icon = await page.getAttribute('#favicon', 'href')
  server.state({ ...STREAMING, bytes: 0, elapsed: 0, speed: null, eta: null })
  server.progress({ bytes: 3_213_000_000, elapsed: 1, speed: 283_400, eta: 15_600 })
  await says(page, 'headline', 'Streaming')
  await says(page, 'figure', '42.2 %')
  await says(page, 'bytes', '3.2 GB')
  await says(page, 'bytesNote', 'of 7.6 GB')
  await says(page, 'speed', '283 kB/s')
  await says(page, 'average', '271 kB/s')
  await says(page, 'left', '4 h 20 m')
  await says(page, 'leftNote', /^about (.*, )?\d\d:\d\d$/)
  await says(page, 'receivers', '2 of 2')
  t.match(await page.title(), `42 % · ${NAME}`)
  t.not(await page.getAttribute('#favicon', 'href'), icon, 'the tab shows how far it is')
  t.equal(await page.getByRole('progressbar').getAttribute('aria-valuetext'), '42 %, 3.2 GB of 7.6 GB')
  t.match(await page.getAttribute('progress', 'value'), /^0\.42/)
  await page.waitForSelector('#chart canvas')

  server.done(COMPLETE)
  await says(page, 'sentence', COMPLETE_LINE)
  await says(page, 'figure', '100 %')
  await says(page, 'digest', COMPLETE.sha256!)
  t.match(await page.title(), `✓ complete · ${NAME}`)
})

t.test('a transfer that failed says why, and how far it came', async (t) => {
  const { page, server } = await watch(t, STREAMING)
  server.done(FAILED)
  await says(page, 'sentence', FAILED_LINE)
  await says(page, 'figure', '15.7 %')
  t.match(await page.title(), `✗ failed · ${NAME}`)
  t.equal(await page.isVisible('.digest'), false)
})

t.test('without a total nothing pretends to know one', async (t) => {
  const { page } = await watch(t, { ...STREAMING, totalBytes: null, eta: null })
  await says(page, 'figure', '3.2 GB')
  await says(page, 'bytesNote', 'total unknown')
  await says(page, 'left', 'unknown')
  t.equal(await page.getAttribute('progress', 'value'), null, 'the bar is indeterminate')
  t.equal(await page.title(), `3.2 GB · ${NAME}`)
})

t.test('a stream that stands still says so, for how long, and when it goes on', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true })
  server.progress({ bytes: STREAMING.bytes + 1 })
  await says(page, 'headline', 'Streaming')
  server.progress({ speed: 0, eta: null })
  await says(page, 'speed', '0 B/s')
  await page.clock.runFor(12_000)
  await says(page, 'headline', 'Stalled')
  await says(page, 'sentence', 'The sender has sent nothing for 12 s.')
  await says(page, 'left', 'unknown')
  await says(page, 'elapsed', '3 h 10 m')
  t.match(await page.title(), 'stalled 42 %')
  server.progress({ bytes: STREAMING.bytes + 1_000_000, speed: 200_000, eta: 100 })
  await says(page, 'headline', 'Streaming')
})

t.test('who comes while it stands still is told so too', async (t) => {
  const { page } = await watch(t, { ...STREAMING, speed: 0, eta: null })
  await says(page, 'headline', 'Stalled')
  await says(page, 'sentence', 'Nothing moves at the moment.')
})

t.test('the final line stays until another transfer begins', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true })
  server.done(COMPLETE)
  await says(page, 'sentence', COMPLETE_LINE)
  await page.clock.runFor(2500)
  await eventually(() => server.listened.length === 2 || 'it did not look again')
  await says(page, 'sentence', COMPLETE_LINE)
  server.snapshot = { ...IDLE, last: COMPLETE }
  for (let i = 2; i < 4 && server.listened.length < 3; i++) {
    await page.clock.runFor(10_000)
    await server.heardBy(3)
  }
  await says(page, 'sentence', COMPLETE_LINE)
  await reads(page, '#link', 'Live')
  server.state({ ...WAITING, last: COMPLETE })
  await says(page, 'sentence', 'Waiting for the sender and 2 more receivers.')
  server.state({ ...STREAMING, transferId: 'transfer-number-two', bytes: 1000 })
  await says(page, 'bytes', '1.0 kB')
})

t.test('an idle name shows its last transfer', async (t) => {
  const { page } = await watch(t, { ...IDLE, last: FAILED })
  await says(page, 'headline', 'Idle')
  await says(page, 'last', FAILED_LINE)
  await says(page, 'lastNote', /^Ended .*\d\d:\d\d\.$/)
})

t.test('a server that restarts is waited for, and what was lost is said', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true, expected: /Failed to load resource|ERR_/ })
  await server.down()
  await reads(page, '#link', 'Reconnecting')
  await page.clock.runFor(1000)
  await page.waitForSelector('#notice', { state: 'visible' })
  await reads(page, '#notice span', /^The server cannot be reached\. What you see is from \d\d:\d\d\. Trying again/)
  t.match(await page.title(), `? 42 % · ${NAME}`)
  server.snapshot = IDLE
  await server.up()
  await page.click('#again')
  await reads(page, '#link', 'Live')
  await says(page, 'sentence', 'The server no longer knows the transfer that was shown here.')
  t.equal(await page.isVisible('#notice'), false)
})

t.test('it comes back by itself, and learns what it missed', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true })
  server.snapshot = { ...IDLE, last: COMPLETE }
  server.end()
  await reads(page, '#link', 'Reconnecting')
  await page.clock.runFor(1000)
  await server.heardBy(2)
  await says(page, 'sentence', COMPLETE_LINE)
})

t.test('too many spectators: the server says so, and when to come again', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true, expected: /Failed to load resource.*429/ })
  server.refusal = {
    status: 429,
    headers: { 'Retry-After': '20' },
    body: '[ERROR] As many as allowed, 50, watch this name already. Try again later.\n',
  }
  server.end()
  await reads(page, '#link', 'Reconnecting')
  await page.clock.runFor(1000)
  await reads(page, '#notice span', /^As many as allowed, 50, watch this name already\. .* Trying again in 20 s\.$/)
  server.refusal = undefined
  await page.clock.runFor(21_000)
  await reads(page, '#link', 'Live')
})

t.test('what is no answer of this gateway is told by its status', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true, expected: /Failed to load resource.*502/ })
  server.refusal = { status: 502, body: '<h1>Bad gateway</h1>' }
  server.end()
  await reads(page, '#link', 'Reconnecting')
  await page.clock.runFor(1000)
  await reads(page, '#notice span', /^The server answered 502\. /)
})

t.test('after a sleep it does not trust the old connection', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true })
  // What it hears later, it has heard later.
  await says(page, 'headline', 'Streaming')
  await page.clock.fastForward(60_000)
  await reads(page, '#link', 'Reconnecting')
  await page.clock.runFor(1000)
  await server.heardBy(2)
  await reads(page, '#link', 'Live')
})

t.test('a page that is looked at again asks again at once when it has heard nothing', async (t) => {
  const { page, server } = await watch(t, STREAMING, { frozen: true })
  // What it hears later, it has heard later.
  await says(page, 'headline', 'Streaming')
  await page.clock.runFor(25_000)
  t.equal(server.listened.length, 1, 'two missed comments are no proof')
  await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
  await page.clock.runFor(1000)
  await server.heardBy(2)
})

t.test('the address of the events has all that the page was opened with', async (t) => {
  const server = await ScriptedEvents.start(t)
  const { page } = await chromium.open(t)
  await page.goto(server.url('a%20b', 'sig=v1.abc%2Bdef_-&progress&x=%C3%A9'))
  await server.heardBy(1)
  t.equal(server.listened[0], '/a%20b?sig=v1.abc%2Bdef_-&progress&x=%C3%A9&history')
  await reads(page, 'h1', 'a b')
})

t.test('names and messages are text', async (t) => {
  const server = await ScriptedEvents.start(t)
  const { page } = await chromium.open(t)
  server.snapshot = STREAMING
  await page.goto(server.url('%3C/script%3E%3Cimg src=x onerror=alert(1)%3E'))
  await server.heardBy(1)
  server.done({ ...FAILED, reason: 'stopped', message: '</script><img src=x onerror=alert(1)>' })
  await says(page, 'sentence', /^<\/script><img src=x/)
  t.equal(await page.locator('img[src=x]').count(), 0)
})

t.test('a screen reader hears changes, and each tenth: not each figure', async (t) => {
  const { page, server } = await watch(t, IDLE, { frozen: true })
  const heard = await announcements(page)
  server.state(WAITING)
  server.state({ ...STREAMING, bytes: 0 })
  for (let share = 1; share <= 25; share++) {
    server.progress({ bytes: (share / 100) * 7_600_000_000 })
    await says(page, 'figure', `${share}.0 %`)
    await page.clock.runFor(1000)
  }
  server.done(COMPLETE)
  await says(page, 'headline', 'Complete')
  t.same(
    (await heard()).map((text) => text.replaceAll('\u00a0', ' ')),
    [
      'Waiting. Waiting for the sender and 2 more receivers.',
      'Streaming. Streaming to 2 receivers.',
      '10 percent.',
      '20 percent.',
      `Complete. ${COMPLETE_LINE}`,
    ],
  )
})

t.test('by keyboard: what can be used is reached, and seen to be', async (t) => {
  const { page } = await watch(t, STREAMING)
  const reached: string[] = []
  for (let i = 0; i < 2; i++) {
    await page.keyboard.press('Tab')
    reached.push(await page.evaluate('document.activeElement.id'))
    t.match(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid')
  }
  t.same(reached, ['command', 'copy'])
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.keyboard.press('Enter')
  await reads(page, '#copy', 'Copied')
  t.equal(await page.evaluate('navigator.clipboard.readText()'), await page.textContent('#command'))
})

t.test('figures of any length move nothing', async (t) => {
  const { page, server } = await watch(t, STREAMING, { welcome: HISTORY, viewport: { width: 360, height: 740 } })
  await says(page, 'figure', '42.2 %')
  const places = () => page.evaluate(`[...document.querySelectorAll('section, dl > div')].map(e => e.offsetTop).join()`)
  const before = await places()
  server.progress({ bytes: 7_599_999_999, speed: 99_949_999, avgSpeed: 99_949_999, eta: 86_399, elapsed: 86_399 })
  await says(page, 'figure', '99.9 %')
  t.equal(await places(), before)
  server.done(COMPLETE)
  await says(page, 'headline', 'Complete')
  t.equal(await places(), before, 'nor does the end')
})

t.test('without scripts: the snapshot, drawn by the server, and again', async (t) => {
  const { page, server } = await watch(t, { ...STREAMING, eta: null }, { javaScriptEnabled: false })
  await says(page, 'headline', 'Streaming')
  await says(page, 'figure', '42.2 %')
  t.equal(await page.isVisible('.plot'), false)
  t.equal(await page.isVisible('#link'), false, 'it is not live')
  server.snapshot = { ...IDLE, last: COMPLETE }
  await says(page, 'last', COMPLETE_LINE)
})

t.test('who wants less motion gets none', async (t) => {
  const unknown = { ...STREAMING, totalBytes: null }
  const animation = (page: Page) => page.evaluate(`getComputedStyle(document.querySelector('progress')).animationName`)
  const moving = await watch(t, unknown)
  t.equal(await animation(moving.page), 'pass')
  await moving.page.emulateMedia({ reducedMotion: 'reduce' })
  t.equal(await animation(moving.page), 'none')
})

/** A page on the real gateway, once it is live. */
async function open(
  t: Test,
  gateway: Pick<Running, 'url'>,
  query = `${NAME}?progress`,
  options: TabOptions = {},
): Promise<Page> {
  const { page } = await chromium.open(t, options)
  const answer = await page.goto(gateway.url(query))
  t.equal(answer?.status(), 200)
  await reads(page, '#link', 'Live')
  return page
}

/**
 * A port that two gateways can listen on one after the other: one that the system chooses while listening is kept by the
 * connections of the first for a minute.
 */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

t.test('the real gateway: two spectators see a transfer from its first receiver to its end', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: progress }] })
  const pages = [await open(t, gateway), await open(t, gateway)]
  const both = (field: string, text: string | RegExp) => Promise.all(pages.map((page) => says(page, field, text)))
  await both('headline', 'Idle')
  const receiver = curl([gateway.url(NAME)])
  await both('sentence', 'Waiting for the sender.')
  const sender = curl(['-N', '-T', '-', gateway.url(`${NAME}?size=2000000`)])
  sender.stdin.write(Buffer.alloc(1_000_000))
  await both('figure', '50.0 %')
  await both('bytes', '1.0 MB')
  await freeze(pages[0]!)
  await pages[0]!.clock.runFor(6000)
  await says(pages[0]!, 'sentence', /^The sender has sent nothing for \d+ s\.$/)
  sender.stdin.end(Buffer.alloc(1_000_000))
  await both('headline', 'Complete')
  await both('sentence', /^The receiver has all of it: 2\.0 MB in \d.* m?s(, \d+(\.\d)? [kM]B\/s on average)?\.$/)
  await Promise.all([sender.result, receiver.result])
  const late = await open(t, gateway)
  await says(late, 'sentence', /^The receiver has all of it: 2\.0 MB/)
})

t.test('the real gateway: a sender that disconnects', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: progress }] })
  const page = await open(t, gateway)
  curl([gateway.url(NAME)])
  const sender = curl(['-N', '-T', '-', gateway.url(NAME)])
  sender.stdin.write('x'.repeat(500))
  await says(page, 'bytes', '500 B')
  sender.kill()
  await says(page, 'sentence', /^The sender left at 500 B\. Ask for it again\.$/)
})

t.test('the real gateway: it restarts under its spectators', async (t) => {
  const port = String(await freePort())
  const first = new Program(t, ['serve', '--port', port], {})
  await first.waitForLog('listening')
  const page = await open(t, first, undefined, { expected: /Failed to load resource|ERR_/ })
  curl([first.url(NAME)])
  await says(page, 'headline', 'Waiting')
  await first.endsAfter('SIGTERM')
  await reads(page, '#link', 'Reconnecting')
  const second = new Program(t, ['serve', '--port', port], {})
  await second.waitForLog('listening')
  await reads(page, '#link', 'Live')
  await says(page, 'headline', 'Idle')
})

t.test('the real gateway: a signed link opens the page, and the page goes on by it', async (t) => {
  const secret = 'a secret of a good length, for tests only'
  const plugins = [
    { plugin: authBearer, config: { tokens: [{ name: 'owner', hash: OWNER.hash, project: 'one' }] } },
    { plugin: links, config: { secret } },
    { plugin: progress },
  ]
  const gateway = await startGateway(t, {}, { plugins })
  const expiry = Math.floor(Date.now() / 1000) + 3600
  const sig = sign({ project: 'one', name: NAME, right: 'watch', expiry }, secret)
  const page = await open(t, gateway, `${NAME}?sig=${sig}&progress`)
  curl(['-H', `Authorization: Bearer ${OWNER.token}`, gateway.url(NAME)])
  await says(page, 'sentence', 'Waiting for the sender.')
})

t.test('the real gateway: its page may be framed by whom it says', async (t) => {
  const config = { frameAncestors: "'self' https://status.example" }
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: progress, config }] })
  const { stdout } = await curlDone(['-D', '-', '-H', 'Accept: text/html', gateway.url(`${NAME}?progress`)])
  t.match(stdout.toString(), /^content-security-policy: .*; frame-ancestors 'self' https:\/\/status\.example\r$/im)
})

t.test('waiting: since when, and the way in for who is missing', async (t) => {
  const { page, server } = await watch(t, { ...WAITING, hasSender: true, waitingSince: Date.now() - 300_000 })
  await says(page, 'since', /^Since \d\d:\d\d\.$/)
  await reads(page, '#invitation-title', 'To receive, open this link')
  await reads(page, '#invitation-link', `http://127.0.0.1:${server.port}/${NAME}?receive&n=3`)
  t.match(await page.getAttribute('#qr', 'src'), /^data:image\/svg/)
  t.notOk(await page.isVisible('.figures'), 'there is nothing to measure')
  server.state({ hasSender: false, receivers: 3 })
  await reads(page, '#invitation-title', 'To send, open this link')
  await reads(page, '#invitation-link', `http://127.0.0.1:${server.port}/?name=backups%2Ftuesday&n=3`)
  server.state(STREAMING)
  await eventually(async () => !(await page.isVisible('#invitation')) || 'it still invites')
})

t.test('no page can be a peer: it offers no way in', async (t) => {
  const one = { peers: 1, webSockets: 0, saidBytes: [0, 0] as const, hasSender: true, totalReceivers: null }
  const { page } = await watch(t, { ...TALKING, ...one, state: 'waiting', startedAt: null, elapsed: null })
  await says(page, 'sentence', 'Both ways: 1 peer: waiting for the other.')
  t.equal(await page.isVisible('#invitation'), false)
})

t.test('idle: what one can do, and it is done by the pages', async (t) => {
  const plugins = [{ plugin: progress }, { plugin: pages }]
  const gateway = await startGateway(t, {}, { plugins })
  const page = await open(t, gateway, `${NAME}?progress`)
  await reads(page, '.idle', /^What you can do here Send something under this name/)
  t.equal(await page.getAttribute('#idle-receive', 'href'), '?receive')
  await page.click('#idle-send')
  await page.waitForURL(`${gateway.url('')}?name=backups%2Ftuesday`)
  t.equal(await page.inputValue('#name'), NAME)
  const without = await startGateway(t, {}, { plugins: [{ plugin: progress }] })
  const bare = await open(t, without, `${NAME}?progress`)
  t.notOk((await bare.isVisible('.idle')) || (await bare.isVisible('#invitation')), 'nothing leads nowhere')
})

t.test('in a terminal: pipegate watch, and curl', async (t) => {
  const { page, server } = await watch(t, STREAMING)
  await reads(page, '#command', `pipegate watch '${server.url(NAME)}'`)
  await reads(page, '#curl', `curl -N '${server.url(NAME)}'`)
  const run = curl(['-N', server.url(NAME)])
  await run.waitFor('event: state')
  run.kill()
})

t.test('a bar for each receiver when there are several, also for one that has left', async (t) => {
  const several = { ...STREAMING, receivers: 3, totalReceivers: 3, bytes: 100, totalBytes: 1000 }
  const { page, server } = await watch(t, { ...several, receiverBytes: [100, 500, 990] })
  await reads(page, '#bars', '10 %50 %99 %')
  t.equal(await page.getByRole('progressbar', { name: 'Receiver 2' }).getAttribute('value'), '0.5')
  server.progress({ bytes: 200, receivers: 2, receiverBytes: [200, null, 1000] })
  await reads(page, '#bars', '20 %left at 50 %100 %')
  server.progress({ receiverBytes: null })
  await eventually(async () => !(await page.isVisible('#each')) || 'there are bars for one receiver')
})

t.test('what drains is not stalled, and whose turn it is is said', async (t) => {
  const { page, server } = await watch(t, { ...STREAMING, totalReceivers: 1, receivers: 1 }, { frozen: true })
  server.progress({ bytes: STREAMING.bytes + 1, inFlight: 4_000_000 })
  await says(page, 'headline', 'Streaming')
  await page.clock.runFor(30_000)
  await says(page, 'sentence', 'The receiver reads what it has got already: the rest is on its way.')
  await says(page, 'headline', 'Streaming')
  await page.clock.runFor(95_000)
  await says(page, 'headline', 'Stalled')
  await says(page, 'sentence', /^The receiver has taken nothing for 2 m \d+ s\.$/)
})

t.test('questions that take their time, and a topic on which nothing happens, are not stalled', async (t) => {
  const questions = await watch(t, ANSWERING, { frozen: true })
  const topic = { ...ANSWERING, kind: 'topic', ask: undefined, topic: true, subscribers: 2, messages: 7 } as const
  const events = await watch(t, topic, { frozen: true })
  for (const [{ page, server }, headline, sentence] of [
    [questions, 'Answering', 'Questions: 3 askers and no workers waiting, 2 questions unanswered.'],
    [events, 'Streaming', '2 subscribers; 7 messages so far.'],
  ] as const) {
    server.progress({ bytes: 60_300, totalReceivers: null, speed: 0 })
    await says(page, 'figure', '60.3 kB')
    await page.clock.runFor(60_000)
    await says(page, 'headline', headline)
    await says(page, 'sentence', sentence)
  }
  await says(questions.page, 'receivers', '2 here')
  const talking = await watch(t, TALKING, { frozen: true })
  talking.server.progress({ bytes: 3_401_300, saidBytes: [1300, 3_400_000], totalReceivers: null, speed: 0 })
  await says(
    talking.page,
    'sentence',
    'Both ways: 2 peers, one a WebSocket: 1.3 kB from the first, 3.4 MB from the other.',
  )
  await talking.page.clock.runFor(60_000)
  await says(talking.page, 'headline', 'Talking')
  await says(talking.page, 'bytesNote', 'in both directions')
  await says(talking.page, 'receiversNote', 'one a WebSocket')
})

t.test('every end is a sentence that says what to do, once', async (t) => {
  for (const [reason, sentence] of [
    ['sender_left', 'The sender left at 15 %. Ask for it again.'],
    ['receivers_left', 'Every receiver left, the last one at 15 %. It has to be sent again.'],
    ['receivers_stalled', 'The receivers took nothing any more at 15 %. It has to be sent again.'],
    ['no_receivers', 'Nobody came to receive it. Send it again when somebody is there.'],
    ['idle', 'The sender disconnected. It had come to 15 %.'],
  ]) {
    const { page, server } = await watch(t, STREAMING)
    server.done({ ...FAILED, reason: reason! })
    await says(page, 'sentence', sentence!)
    t.equal((await page.innerText('main')).split(sentence!).length, 2, 'once')
    t.notMatch(await page.innerText('main'), /failed: /)
  }
})

t.test('the real gateway: a reader of 2 MB/s, and 20 or 40 MB for it', async (t) => {
  const bytes = amount(20_000_000, 40_000_000)
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: progress }] })
  const page = await open(t, gateway, `${NAME}?progress`)
  const seen: { eta: number | null; speed: number | null; bytes: number; elapsed: number }[] = []
  const watching = curl(['-N', gateway.url(`${NAME}?progress`)])
  const sender = curl(['-T', '-', gateway.url(`${NAME}?size=${bytes}`)], { input: Buffer.alloc(bytes) })
  // A curl that has waited makes up for it, faster than its limit.
  await gateway.holds(1, 0)
  const receiver = curl(['--limit-rate', '2M', '-o', '/dev/null', gateway.url(NAME)])
  await says(page, 'headline', 'Streaming')
  const headlines = new Set<string>()
  await eventually(
    async () => {
      headlines.add((await page.textContent('[data-field="headline"]'))!)
      return headlines.has('Complete') || 'it runs'
    },
    { timeoutMs: 120_000 },
  )
  t.same([...headlines], ['Streaming', 'Complete'], 'never stalled')
  const peak = (await page.textContent('[data-field="speed"]'))!
  t.match(peak, /^(–|\d(\.\d)? MB\/s|\d+ kB\/s)$/, `a peak of ${peak}`)
  for (const [, data] of (await watching.result).stdout.toString().matchAll(/^event: progress\ndata: (.*)$/gm))
    seen.push(JSON.parse(data!))
  t.ok(seen.length > bytes / 4_000_000, `${seen.length} figures`)
  for (const { eta, speed, bytes: done } of seen) {
    if (speed !== null) t.ok(speed < 8_000_000, `${speed} bytes per second`)
    if (eta !== null) t.ok(eta >= (bytes - done) / 8_000_000 - 1, `${eta} s left at ${done} bytes`)
  }
  t.equal((await receiver.result).code, 0)
  t.equal((await sender.result).code, 0)
})

interface Look {
  readonly headline: string
  readonly at: Snapshot
  readonly welcome?: string
  readonly end?: Receipt
}

const LOOKS: Readonly<Record<string, Look>> = {
  waiting: { headline: 'Waiting', at: WAITING },
  streaming: { headline: 'Streaming', at: STREAMING, welcome: HISTORY },
  'unknown-total': { headline: 'Streaming', at: { ...STREAMING, totalBytes: null, eta: null }, welcome: HISTORY },
  several: {
    headline: 'Streaming',
    at: { ...STREAMING, receivers: 2, totalReceivers: 3, receiverBytes: [3_213_000_000, null, 6_100_000_000] },
    welcome: HISTORY,
  },
  stalled: { headline: 'Stalled', at: { ...STREAMING, speed: 0, eta: null }, welcome: HISTORY },
  complete: { headline: 'Complete', at: STREAMING, welcome: HISTORY, end: COMPLETE },
  failed: { headline: 'Failed', at: STREAMING, welcome: HISTORY, end: FAILED },
  questions: { headline: 'Answering', at: ANSWERING },
  talking: { headline: 'Talking', at: TALKING },
  idle: { headline: 'Idle', at: { ...IDLE, last: COMPLETE } },
}

for (const [look, { headline, at, end, welcome = '' }] of Object.entries(LOOKS)) {
  t.test(`${look}, on a phone and on a desk, light and dark: it fits, and can be looked at afterwards`, async (t) => {
    const { page, server } = await watch(t, at, { welcome, reducedMotion: 'reduce' })
    if (welcome !== '') await page.waitForSelector('#chart', { state: 'visible' })
    if (end !== undefined) server.done(end)
    await says(page, 'headline', headline)
    const grounds = new Set<string>()
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: width === 360 ? 1060 : 880 })
      for (const colorScheme of schemesAt(width)) {
        await page.emulateMedia({ colorScheme })
        await picture(page, `${look}-${width}-${colorScheme}`)
        grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
        t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing to scroll to the side')
      }
    }
    t.equal(grounds.size, 2)
  })
}
