/** Live: a page shares its camera through Caddy with HTTP/2, or ffmpeg sends; players come when they like. */
import { spawn } from 'node:child_process'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { amount, sample } from '../../support/thorough.js'
import { startEdge } from './edge.js'
import { CODECS, PICTURE, RATE, TONE } from './ffmpeg.js'
import { ffmpegTo, open, plays, reads, SMALL, screenOf, startBrowser } from './rig.js'

t.setTimeout(300_000)

const chromium = await startBrowser(t)
const HTTPS = { ignoreHTTPSErrors: true, expected: /Failed to load resource|ERR_/ }
/**
 * From the click to moving pictures. It takes 0.6 to 2.8 s on an idle machine of two cores, where one of them encodes the picture
 * and the other decodes it; what else runs there comes on top of that. Without an entry at a keyframe it would be never.
 */
const SOON_MS = 8000

interface Stand {
  readonly gateway: Running
  url(nameAndQuery: string): string
}

async function start(t: Test): Promise<Stand> {
  const gateway = await startGateway(t, { trustedProxies: '127.0.0.1' }, { plugins: await defaultPlugins() })
  const origin = await startEdge(t, gateway.port)
  return { gateway, url: (name) => `${origin}/${name}` }
}

/** Presses play. Resolves with how long it took until pictures moved, in milliseconds. */
async function join(page: Page): Promise<number> {
  const clicked = performance.now()
  await page.click('#play')
  await plays(page, 3).catch(async (error: unknown) => {
    throw new Error(`it says "${await page.textContent('#headline')}": ${error}`)
  })
  return performance.now() - clicked
}

/** The middle one of three: a machine that does other things may be late once. */
function isSoon(t: Test, took: readonly number[]): void {
  const middle = [...took].sort((a, b) => a - b)[took.length >> 1]
  t.ok(middle! < SOON_MS, `${took.map(Math.round)} ms after the click`)
}

/** A live sender for as long as it lives: ffmpeg, and curl. */
function broadcast(t: Test, url: string, ...codecs: readonly string[]): { end(): void; die(): void } {
  const ffmpeg = ffmpegTo(t, '-re', ...PICTURE(120), '-re', ...TONE(120), ...codecs, '-f', 'webm', '-')
  const curl = spawn('curl', ['-sS', '-T', '-', url], { stdio: [ffmpeg.stdout, 'ignore', 'ignore'] })
  t.teardown(() => void curl.kill('SIGKILL'))
  return { end: () => void ffmpeg.kill('SIGTERM'), die: () => void curl.kill('SIGKILL') }
}

t.test('a page shares its camera, a player plays it, and a second one that comes late does so soon', async (t) => {
  const { gateway, url } = await start(t)
  const page = await open(t, chromium, url(`cam?share&source=camera&${SMALL}`), HTTPS)
  await page.click('#turn-on')
  await reads(page, '#headline', 'Not shared yet')
  await reads(page, '#link', url('cam?video&live'))
  const link = (await page.textContent('#link'))!
  const first = await open(t, chromium, link, HTTPS)
  await first.click('#play')
  await reads(first, '#headline', 'Waiting')
  await page.click('#start')
  await reads(page, '#headline', 'Live')
  await reads(page, '#sentence', '1 viewer.')
  await reads(first, '#headline', 'Live')
  await reads(first, '#details', /^WebM · (VP9 \d+×\d+ · Opus|Opus · VP9 \d+×\d+)$/)
  await plays(first, 2 * RATE)

  const second = await open(t, chromium, link, HTTPS)
  const took: number[] = []
  for (let i = 0; i < 3; i++) {
    if (i > 0) await second.click('#stop')
    took.push(await join(second))
  }
  isSoon(t, took)
  await reads(page, '#sentence', '2 viewers.')
  t.ok((await screenOf(second)).at > 2, 'its times are those of the stream')
  await eventually(async () => {
    const lags = await Promise.all([first, second].map(async (each) => (await screenOf(each)).lag))
    return Math.max(...lags) < 3 || `${lags} s behind`
  })

  await second.click('#stop')
  await reads(page, '#sentence', '1 viewer.')
  await plays(first, RATE)
  await page.click('#stop')
  await reads(page, '#headline', 'Ended')
  await reads(first, '#headline', 'The end')
  t.equal(await gateway.ended('cam'), 'complete')
})

const { vp8, vp9, opus } = CODECS
const SENT = [
  ['VP8', [...vp8, '-g', `${RATE}`, ...opus]],
  ['sound alone', ['-map', '1:a', ...opus]],
  ['VP9', [...vp9, '-g', `${RATE}`, '-row-mt', '1', ...opus]],
] as const
for (const [name, codecs] of sample(SENT, 2)) {
  t.test(`ffmpeg sends ${name}, and players come and go`, async (t) => {
    const { gateway } = await start(t)
    const sender = broadcast(t, gateway.url('studio?live'), ...codecs)
    await gateway.holds(0, 1)
    // Without being told that it is live.
    const page = await open(t, chromium, gateway.url('studio?video'), HTTPS)
    const played = async (at: number) => {
      await eventually(async () => (await screenOf(page)).at > at || `at ${(await screenOf(page)).at}`)
    }
    const took: number[] = []
    for (let i = 0; i < amount(1, 3); i++) {
      const clicked = performance.now()
      await page.click('#play')
      await reads(page, '#headline', 'Live')
      took.push(performance.now() - clicked)
      const { at } = await screenOf(page)
      await played(at + 1)
      await page.click('#stop')
      await reads(page, '#headline', 'Stopped')
    }
    isSoon(t, took)
    await page.click('#play')
    await reads(page, '#headline', 'Live')
    if (name === 'VP9') sender.end()
    else sender.die()
    await reads(page, '#headline', name === 'VP9' ? 'The end' : 'Cut off')
    if (name !== 'VP9') await reads(page, '#sentence', /What you saw is not all of it\.$/)
  })
}

t.test('who pauses stays behind, and comes back to what happens now', async (t) => {
  const { gateway } = await start(t)
  broadcast(t, gateway.url('studio?live'), ...vp8, '-g', `${RATE}`, ...opus)
  await gateway.holds(0, 1)
  const page = await open(t, chromium, gateway.url('studio?video&live'), HTTPS)
  await join(page)
  await page.evaluate("document.querySelector('#video').pause()")
  await reads(page, '#sentence', /^The stream goes on: you are [5-9] s behind\.$/)
  await page.evaluate("document.querySelector('#video').play()")
  await plays(page, RATE)
  t.ok((await screenOf(page)).lag > 4, 'it goes on where it was')
  await page.click('#edge')
  await eventually(async () => (await screenOf(page)).lag < 3 || `${(await screenOf(page)).lag} s behind`)
  await plays(page, RATE)
  t.notOk(await page.isVisible('#edge'))
})

t.test('a fragmented MP4 that is joined late cannot be played, and the page says so', async (t) => {
  const { gateway } = await start(t)
  const args = [
    '-re',
    ...PICTURE(60),
    ...CODECS.h264,
    '-g',
    `${RATE}`,
    '-movflags',
    'frag_keyframe+empty_moov',
    '-f',
    'mp4',
    '-',
  ]
  const ffmpeg = ffmpegTo(t, ...args)
  const curl = spawn('curl', ['-sS', '-T', '-', gateway.url('late?live')], {
    stdio: [ffmpeg.stdout, 'ignore', 'ignore'],
  })
  t.teardown(() => void curl.kill('SIGKILL'))
  await gateway.holds(0, 1)
  await eventually(
    () => {
      const pipe = gateway.gateway.table.get('late')
      return (pipe?.bytesIn ?? 0) > 20_000 || `${pipe?.bytesIn} bytes`
    },
    { timeoutMs: 30_000 },
  )
  const page = await open(t, chromium, gateway.url('late?video&live'), HTTPS)
  await page.click('#play')
  await reads(page, '#headline', 'Not played here')
  await reads(page, '#sentence', /^You came in the middle of it, .*WebM/)
})
