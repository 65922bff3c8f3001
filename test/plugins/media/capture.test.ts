/** The capture page in a real Chromium with a camera, a microphone and a screen that are made up, behind Caddy with HTTP/2. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import links from '../../../plugins/links/index.js'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { sample } from '../../support/thorough.js'
import { startEdge } from './edge.js'
import { ffmpeg, PICTURE } from './ffmpeg.js'
import { open, plays, reads, SMALL, screenOf, startBrowser } from './rig.js'

t.setTimeout(300_000)

const chromium = await startBrowser(t)
/** The certificate is its own. */
const HTTPS = { ignoreHTTPSErrors: true }

interface Stand {
  readonly gateway: Running
  /** Of the name, behind Caddy. */
  url(nameAndQuery: string): string
}

async function start(t: Test): Promise<Stand> {
  const gateway = await startGateway(t, { trustedProxies: '127.0.0.1' }, { plugins: await defaultPlugins() })
  const origin = await startEdge(t, gateway.port)
  return { gateway, url: (name) => `${origin}/${name}` }
}

/** What ffprobe finds in it. */
function probe(t: Test, bytes: Buffer): { streams: string[]; seconds: number; keyframes: number[] } {
  const file = join(t.testdir(), 'recorded.webm')
  writeFileSync(file, bytes)
  const ask = (...args: string[]) =>
    execFileSync('ffprobe', ['-v', 'error', ...args, '-of', 'csv=p=0', file], { encoding: 'utf8' })
      .trim()
      .split('\n')
  const frames = ask('-select_streams', 'v', '-show_entries', 'packet=pts_time,flags').map((each) => each.split(','))
  return {
    streams: ask('-show_entries', 'stream=codec_name').sort(),
    seconds: Number(ask('-show_entries', 'packet=pts_time').at(-1)),
    keyframes: frames.filter(([, flags]) => flags?.startsWith('K')).map(([at]) => Number(at)),
  }
}

async function turnOn(page: Page, source: string): Promise<void> {
  await page.click(`.kinds >> text=${source}`)
  await page.click('#turn-on')
  await reads(page, '#headline', 'Not shared yet')
}

t.test('a camera goes to a counted receiver, from its first picture to its last', async (t) => {
  const { gateway, url } = await start(t)
  const page = await open(t, chromium, url(`cam?share&n=1&${SMALL}`), HTTPS)
  await turnOn(page, 'Camera')
  await plays(page)
  t.equal(gateway.gateway.table.get('cam'), undefined, 'a preview is for nobody else')
  await page.click('#start')
  await reads(page, '#headline', 'Waiting')
  await reads(page, '#link', url('cam?video'))
  await gateway.holds(1, 0)
  const receiver = curl([gateway.url('cam')])
  await reads(page, '#headline', 'On air')
  await reads(page, '#sentence', '1 viewer.')
  await reads(page, '#figure', '0:05')
  await reads(page, '#details', /^[\d.]+ [kM]B · [\d.]+ kB\/s$/)
  await page.click('#stop')
  await reads(page, '#headline', 'Ended')
  await reads(page, '#sentence', /^(?:[5-9]|[1-5]\d)(?:\.\d+)? s, .* to 1 viewer\.$/)
  const { code, stdout } = await receiver.result
  t.equal(code, 0)
  t.equal(await gateway.ended('cam'), 'complete')
  const { streams, seconds, keyframes } = probe(t, stdout)
  t.same(streams, ['opus', 'vp9'])
  // The button is pressed after 5 s; on a busy machine the press itself takes some.
  t.ok(seconds > 4 && seconds < 60, `${seconds} s`)
  const gaps = keyframes.slice(1).map((at, i) => at - keyframes[i]!)
  t.ok(gaps.length >= 2 && Math.max(...gaps) < 2, `whole pictures every ${gaps} s`)
})

const SOURCES = [
  ['Screen', 'source=screen&audio=both', ['opus', 'vp9']],
  ['Screen', 'source=screen&audio=none', ['vp9']],
  ['Microphone', 'source=microphone', ['opus']],
] as const
for (const [source, query, streams] of sample(SOURCES, 2)) {
  t.test(`${query} reaches a player`, async (t) => {
    const { gateway, url } = await start(t)
    const page = await open(t, chromium, url(`it?share&n=1&${query}&${SMALL}`), HTTPS)
    await turnOn(page, source)
    await page.click('#start')
    await gateway.holds(1, 0)
    const viewer = await open(t, chromium, (await page.textContent('#link'))!, HTTPS)
    await reads(viewer, '#headline', 'Ready')
    await viewer.click('#play')
    await reads(page, '#headline', 'On air')
    await eventually(async () => (await screenOf(viewer)).at > 2 || `at ${(await screenOf(viewer)).at} s`)
    const codecs = streams.map((each) => (each === 'opus' ? 'Opus' : 'VP9 \\d+×\\d+')).reverse()
    await reads(
      viewer,
      '#details',
      new RegExp(`^WebM · ${codecs.join(' · ')}$|^WebM · ${codecs.reverse().join(' · ')}$`),
    )
    // As by the button that the browser shows for it.
    await page.evaluate(`document.querySelector('#video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))`)
    await reads(page, '#headline', 'Ended')
    await reads(viewer, '#headline', 'The end')
    t.equal(await gateway.ended('it'), 'complete')
    t.equal(await page.evaluate(`document.querySelector('#video').srcObject`), null, 'the devices are given back')
  })
}

t.test('who leaves, and who refuses, is told of', async (t) => {
  const { gateway, url } = await start(t)
  const page = await open(t, chromium, url(`gone?share&n=1&source=camera&${SMALL}`), {
    ...HTTPS,
    expected: /Failed to load resource|ERR_/,
  })
  await turnOn(page, 'Camera')
  const other = curl(['-T', '-', gateway.url('gone')])
  await gateway.holds(1, 0)
  await eventually(async () => {
    await page.click('#start')
    const problem = await page.textContent('#problem')
    return problem === 'Somebody is sending under this name already.' || `it says "${problem}"`
  })
  other.kill()
  await gateway.holds(0, 0)
  await eventually(async () => {
    await page.click('#start', { timeout: 1000 }).catch(() => {})
    return (await page.textContent('#headline')) === 'Waiting' || 'it does not begin'
  })
  await gateway.holds(1, 0)
  const receiver = curl(['-o', '/dev/null', gateway.url('gone')])
  await reads(page, '#headline', 'On air')
  receiver.kill()
  await reads(page, '#headline', 'Not shared any more')
  await reads(page, '#sentence', /^(All receivers disconnected|Every receiver)/)
  await page.click('#again')
  await reads(page, '#headline', 'What to share')

  const two = curl([gateway.url('gone?n=2')])
  await gateway.holds(1, 0)
  await turnOn(page, 'Camera')
  await page.click('#start')
  await reads(page, '#headline', 'Not shared any more')
  await reads(page, '#sentence', /receivers|n=/)
  two.kill()
})

t.test('a receiver that is slower than the picture costs pictures, and no memory', async (t) => {
  // Noise is as much as it may be, and gets there sooner.
  const noise = join(t.testdir(), 'noise.y4m')
  ffmpeg(...PICTURE(1, '640x360', 8), '-vf', 'noise=alls=100:allf=t', noise)
  const noisy = await startBrowser(t, [`--use-file-for-fake-video-capture=${noise}`])
  const { gateway, url } = await start(t)
  const page = await open(t, noisy, url('slow?share&n=1&source=camera&quality=high'), HTTPS)
  await turnOn(page, 'Camera')
  await page.click('#start')
  await gateway.holds(1, 0)
  const receiver = await gateway.connect()
  await receiver.send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  receiver.pause()
  await reads(page, '#details', /left out: the network is slower than the picture\. Choose a lower quality\.$/, 120_000)
  receiver.resume()
  await eventually(async () => {
    const before = await page.textContent('#details')
    await page.waitForTimeout(500)
    return before !== (await page.textContent('#details')) || 'nothing moves'
  })
  await page.click('#stop')
  await reads(page, '#headline', 'Ended')
  const { body } = await receiver.waitForResponse()
  const { streams, seconds } = probe(t, body)
  t.same(streams, ['opus', 'vp9'])
  t.ok(seconds > 3)
})

t.test('over HTTP/1.1 it is recorded here, and sent when it is over', async (t) => {
  const { gateway } = await start(t)
  const page = await open(t, chromium, `${gateway.origin}/later?share&source=microphone`)
  await reads(page, '#later', /^It is recorded on this device and sent when you stop: .*HTTP\/2/)
  t.ok(await page.isDisabled('#audience-live'))
  await turnOn(page, 'Microphone')
  await page.click('#start')
  await reads(page, '#headline', 'Recording')
  await reads(page, '#figure', '0:02')
  t.equal(gateway.gateway.table.get('later'), undefined, 'nothing has been sent')
  await page.click('#stop')
  await reads(page, '#headline', 'Sending')
  const { code, stdout } = await curl([gateway.url('later')]).result
  t.equal(code, 0)
  await reads(page, '#headline', 'Delivered')
  t.same(probe(t, stdout).streams, ['opus'])
})

t.test('a page from elsewhere says why it gets no camera', async (t) => {
  const insecure = await startBrowser(t, ['--host-resolver-rules=MAP pipe.example.org 127.0.0.1'])
  const { gateway } = await start(t)
  const page = await open(t, insecure, `http://pipe.example.org:${gateway.port}/x?share`)
  await reads(page, '#headline', 'Not possible here')
  await reads(page, '#sentence', /^Browsers give screens, cameras and microphones to pages from https only/)
  t.notOk(await page.isVisible('#turn-on'))
})

t.test('with tokens: the page asks for one, and gives out links that need none', async (t) => {
  const owner = newToken()
  const gateway = await startGateway(
    t,
    { trustedProxies: '127.0.0.1' },
    {
      plugins: [
        { plugin: authBearer, config: { tokens: [{ name: 'owner', hash: owner.hash, project: 'one' }] } },
        { plugin: links, config: { secret: 'a secret of a good length, for tests only' } },
        ...(await defaultPlugins()),
      ] as never,
    },
  )
  const origin = await startEdge(t, gateway.port)
  const expected = /Failed to load resource|ERR_/
  const page = await open(t, chromium, `${origin}/locked?share&n=1&source=camera&${SMALL}`, { ...HTTPS, expected })
  await reads(page, '#problem', 'This gateway asks for a token.')
  await page.fill('#token', owner.token)
  await page.keyboard.press('Tab')
  await turnOn(page, 'Camera')
  await page.click('#start')
  await reads(page, '#link', /\?video&sig=./)
  await gateway.holds(1, 0)
  const viewer = await open(t, chromium, (await page.textContent('#link'))!, { ...HTTPS, expected })
  await viewer.click('#play')
  await plays(viewer)
  await page.click('#stop')
  await reads(viewer, '#headline', 'The end')
})

t.test('what its address says is chosen, and what means nothing is refused', async (t) => {
  const { gateway } = await start(t)
  const page = await open(t, chromium, gateway.url('a?share&source=camera&audio=0&quality=low&n=3'))
  const chosen = () =>
    page.evaluate(
      `['input[name=source]:checked', '#audio', '#quality', '#receivers'].map((each) => document.querySelector(each).value)`,
    )
  t.same(await chosen(), ['camera', 'none', 'low', '3'])
  const answer = await fetch(gateway.url('a?share'))
  t.equal(answer.headers.get('permissions-policy'), 'camera=(self), microphone=(self), display-capture=(self)')
  t.match(answer.headers.get('content-security-policy'), /^default-src 'none'; script-src 'nonce-/)
  t.match((await fetch(gateway.url('a?video'))).headers.get('content-security-policy'), /; media-src blob:;/)
  for (const [query, found] of [
    ['source=tv', /source.*tv.*screen or camera or microphone/],
    ['audio=loud', /audio.*loud/],
    ['surface=moon', /surface.*moon/],
    ['quality=best', /quality.*best/],
    ['fps=0', /fps.*0/],
    ['live&n=2', /\?live is for whoever comes/],
  ] as const) {
    const refused = await fetch(gateway.url(`a?share&${query}`))
    t.equal(refused.status, 400)
    t.match(await refused.text(), found)
  }
})
