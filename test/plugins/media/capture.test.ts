/** The capture page in a real Chromium with a camera, a microphone and a screen that are made up, behind Caddy with HTTP/2. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { curl } from '../../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { startEdge } from './edge.js'
import { open, plays, reads, startBrowser } from './rig.js'

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
  await reads(page, '#headline', 'Only you see this')
}

t.test('a camera goes to a counted receiver, from its first picture to its last', async (t) => {
  const { gateway, url } = await start(t)
  const page = await open(t, chromium, url('cam?share&n=1'), HTTPS)
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
  await reads(page, '#sentence', /^[56]\.?\d* s, .* to 1 viewer\.$/)
  const { code, stdout } = await receiver.result
  t.equal(code, 0)
  t.equal(await gateway.ended('cam'), 'complete')
  const { streams, seconds, keyframes } = probe(t, stdout)
  t.same(streams, ['opus', 'vp9'])
  t.ok(seconds > 4 && seconds < 8, `${seconds} s`)
  const gaps = keyframes.slice(1).map((at, i) => at - keyframes[i]!)
  t.ok(gaps.length >= 2 && Math.max(...gaps) < 2, `whole pictures every ${gaps} s`)
})
