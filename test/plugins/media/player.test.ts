/** The player in a real Chromium and before the real gateway; the sender is ffmpeg, by curl. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type CurlRun, curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { sample } from '../../support/thorough.js'
import { CODECS, FRAGMENTS, ffmpeg, PICTURE, RATE, TONE } from './ffmpeg.js'
import { open, plays, reads, screenOf, startBrowser } from './rig.js'

t.setTimeout(300_000)

const chromium = await startBrowser(t)
const { vp8, vp9, av1, h264, opus, vorbis, aac, mp3 } = CODECS

async function start(t: Test): Promise<Running> {
  return startGateway(t, {}, { plugins: await defaultPlugins() })
}

function send(gateway: Running, name: string, input: Buffer, ...headers: readonly string[]): CurlRun {
  return curl(['-N', ...headers.flatMap((each) => ['-H', each]), '-T', '-', gateway.url(name)], { input })
}

const WEBM = ['-f', 'webm', '-']
const MP4 = [...FRAGMENTS, '-f', 'mp4', '-']
const both = (seconds: number) => [...PICTURE(seconds), ...TONE(seconds)]

/** Each two seconds long. */
const STREAMS = [
  ['VP8 and Vorbis', [...both(2), ...vp8, ...vorbis, ...WEBM], 'WebM · VP8 320×180 · Vorbis'],
  ['VP9 and Opus', [...both(2), ...vp9, ...opus, ...WEBM], 'WebM · VP9 320×180 · Opus'],
  ['AV1', [...PICTURE(2), ...av1, ...WEBM], 'WebM · AV1 320×180'],
  ['H.264 and AAC in fragments', [...both(2), ...h264, ...aac, ...MP4], 'fragmented MP4 · H.264 320×180 · AAC'],
  ['Opus alone', [...TONE(2), ...opus, ...WEBM], 'WebM · Opus'],
  ['AAC alone in fragments', [...TONE(2), ...aac, ...MP4], 'fragmented MP4 · AAC'],
  ['MP3', [...TONE(2), ...mp3, '-f', 'mp3', '-'], 'MP3 · sound'],
  ['AAC without a container', [...TONE(2), ...aac, '-f', 'adts', '-'], 'AAC · sound'],
] as const

for (const [name, args, text] of sample(STREAMS, 4)) {
  t.test(`${name} is played from its first picture to its end`, async (t) => {
    const gateway = await start(t)
    const page = await open(t, chromium, gateway.url('clip?video'))
    await reads(page, '#headline', 'Nothing here yet')
    const sender = send(gateway, 'clip', ffmpeg(...args))
    await reads(page, '#headline', 'Ready')
    t.equal(gateway.gateway.table.streaming, 0, 'opening the page takes nothing')
    await page.click('#play')
    await reads(page, '#headline', 'The end')
    await reads(page, '#sentence', 'All of it: 2 s.')
    await reads(page, '#details', text)
    const { at, ended, width, frames } = await screenOf(page)
    t.ok(ended && Math.abs(at - 2) < 0.2, `it ended at ${at} s`)
    const hasPicture = text.includes('×')
    t.same([width, frames > 1.6 * RATE], hasPicture ? [320, true] : [0, false], `${frames} pictures`)
    t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
  })
}

t.test('a stream that is cut is played as far as it has come, and never looks complete', async (t) => {
  const gateway = await start(t)
  const page = await open(t, chromium, gateway.url('half?video'), { expected: /Failed to load resource|ERR_/ })
  const whole = ffmpeg(...both(4), ...vp8, ...opus, ...WEBM)
  const sender = curl(['-N', '-T', '-', gateway.url('half')])
  sender.stdin.write(whole.subarray(0, whole.length / 2))
  await reads(page, '#headline', 'Ready')
  await page.click('#play')
  await plays(page)
  sender.kill()
  await reads(page, '#headline', 'Cut off')
  await reads(page, '#sentence', /What you saw is not all of it\.$/)
  const { ended, at } = await screenOf(page)
  t.ok(!ended && at > 1 && at < 3, `it stands at ${at} s`)
  t.ok(await page.isVisible('#play'), 'and it can be asked for again')
})

t.test('a stream that a proxy makes look complete is known to have been cut', async (t) => {
  const gateway = await start(t)
  const page = await open(t, chromium, gateway.url('hidden?video'), { expected: /Failed to load resource|ERR_/ })
  const whole = ffmpeg(...both(3), ...vp8, ...opus, ...WEBM)
  // What Caddy 2.6 makes of it: the bytes that came, and a clean end.
  await page.route('**/hidden?wait=*', async (route) => {
    const headers = { 'X-Pipe-Transfer-Id': 'of-the-hidden-cut-1' }
    await route.fulfill({ status: 200, headers, body: whole.subarray(0, whole.length / 2) })
  })
  const sender = curl(['-N', '-T', '-', gateway.url('hidden?transfer=of-the-hidden-cut-1')])
  sender.stdin.write('something')
  await reads(page, '#headline', 'Ready')
  await page.click('#play')
  await reads(page, '#headline', 'The end')
  const receiver = curl([gateway.url('hidden')])
  await gateway.holds(0, 1)
  sender.kill()
  await reads(page, '#headline', 'Cut off')
  await receiver.result
})

const OTHERS = [
  ['an MPEG transport stream', [...both(1), ...h264, ...aac, '-f', 'mpegts', '-'], 'show.ts'],
  ['Matroska with H.264', [...PICTURE(1), ...h264, '-f', 'matroska', '-'], 'show.mkv'],
] as const

for (const [what, args, file] of OTHERS) {
  t.test(`${what} is not played: the page says what plays it, and keeps it`, async (t) => {
    const gateway = await start(t)
    const page = await open(t, chromium, gateway.url('other?video'))
    // As in browsers in which a page cannot write to a file.
    await page.evaluate('delete window.showSaveFilePicker')
    const bytes = ffmpeg(...args)
    const sender = send(gateway, 'other', bytes, `Content-Disposition: attachment; filename=${file}`)
    await reads(page, '#headline', 'Ready')
    await page.click('#play')
    await reads(page, '#headline', 'Not played here')
    await reads(
      page,
      '#sentence',
      new RegExp(`^This is ${what}\\. Save it as a file\\. A player program may play it, when it is sent again`),
    )
    await reads(page, '#command', `ffplay '${gateway.url('other')}'`)
    const begun = page.waitForEvent('download')
    await page.click('#keep')
    const download = await begun
    t.equal(download.suggestedFilename(), file)
    t.ok(readFileSync(await download.path()).equals(bytes), 'from its first byte to its last')
    await reads(page, '#headline', 'Saved')
    t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
  })
}

t.test('an MP4 in one piece is written to a file as it comes; one that is cut leaves no file', async (t) => {
  const gateway = await start(t)
  const page = await open(t, chromium, gateway.url('plain?video'), { expected: /Failed to load resource|ERR_/ })
  // A real file, where no dialogue has to be answered.
  await page.evaluate(`window.showSaveFilePicker = async ({ suggestedName }) =>
    (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true })`)
  const size = () =>
    page.evaluate(`(async () => {
      const folder = await navigator.storage.getDirectory()
      return (await (await folder.getFileHandle('plain')).getFile()).size
    })()`)
  const file = `${t.testdir()}/plain.mp4`
  ffmpeg(...both(3), ...h264, ...aac, '-movflags', 'faststart', file)
  const bytes = readFileSync(file)
  for (const isCut of [true, false]) {
    const sender = curl(['-N', '-T', '-', gateway.url('plain')])
    sender.stdin.write(bytes.subarray(0, 100_000))
    await gateway.holds(1, 0)
    await page.click('#play')
    await reads(page, '#sentence', /^This is an MP4 in one piece\. .*has to be sent in fragments, or as WebM\./)
    await page.click('#keep')
    await reads(page, '#headline', 'Saving')
    if (isCut) sender.kill()
    else sender.stdin.end(bytes.subarray(100_000))
    await reads(page, '#headline', isCut ? 'Not saved' : 'Saved')
    t.equal(await size(), isCut ? 0 : bytes.length)
    await sender.result
  }
})

t.test('a fast sender is held back while the player has enough', async (t) => {
  const gateway = await start(t)
  const page = await open(t, chromium, gateway.url('long?video'))
  // Two seconds of noise, again and again: more than all that may be on the way.
  const noise = `${t.testdir()}/noise.mp4`
  ffmpeg(...PICTURE(2, '320x180', 25), '-vf', 'noise=alls=60:allf=t', ...h264, '-qp', '18', '-g', '50', noise)
  const whole = ffmpeg('-stream_loop', '39', '-i', noise, '-c', 'copy', ...MP4)
  t.ok(whole.length > 30_000_000, `${whole.length} bytes`)
  const sender = send(gateway, 'long', whole)
  await reads(page, '#headline', 'Ready')
  await page.click('#play')
  await plays(page, 40)
  const { lag } = await screenOf(page)
  t.ok(lag > 20 && lag < 45, `${lag} s ahead`)
  // The viewer jumps, and what follows comes.
  await page.evaluate("document.querySelector('#video').currentTime += 28")
  await eventually(
    async () => {
      const { at, lag } = await screenOf(page)
      return (at > 28 && lag > 20 && lag < 45) || `at ${at}, ${lag} s ahead`
    },
    { timeoutMs: 20_000 },
  )
  await page.click('#stop')
  await reads(page, '#headline', 'Stopped')
  t.match((await sender.result).stdout.toString(), /All receivers disconnected/)
})

t.test('what is refused is said in the words of the gateway', async (t) => {
  const gateway = await start(t)
  const page = await open(t, chromium, gateway.url('late?video&n=2&wait=1'), { expected: /Failed to load resource/ })
  await page.click('#play')
  await reads(page, '#headline', 'Not played')
  await reads(page, '#sentence', /^Timed out waiting for (the )?sender/)
  await gateway.holds(0, 0)
  for (const [query, found] of [
    ['video&n=0', /n\b.*0/],
    ['video&wait=never', /wait.*never/],
    ['video&live=perhaps', /live.*perhaps/],
    ['video&live&n=3', /\?live is for whoever comes/],
  ] as const) {
    const answer = await fetch(gateway.url(`bad?${query}`))
    t.equal(answer.status, 400)
    t.match(await answer.text(), found)
  }
})
