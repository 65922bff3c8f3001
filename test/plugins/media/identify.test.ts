/** What the player makes of the beginning of a stream: recordings of the real ffmpeg, cut anywhere, and what is none. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { describe, type Finding } from '../../../plugins/media/page/container/finding.js'
import { identify, MOST_BYTES } from '../../../plugins/media/page/container/identify.js'
import { CODECS, FRAGMENTS, ffmpeg, PICTURE, TONE } from './ffmpeg.js'

const folder = mkdtempSync(join(tmpdir(), 'pipegate-media-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const found = (bytes: Uint8Array, isAll = false) => identify(bytes, isAll)
const { vp8, vp9, av1, h264, h265, opus, vorbis, aac, mp3, flac } = CODECS
const webm = (...codecs: readonly string[]) => ffmpeg(...PICTURE(1), ...TONE(1), ...codecs, '-f', 'webm', '-')
const sound = (format: string, ...codec: readonly string[]) => ffmpeg(...TONE(1), ...codec, '-f', format, '-')
const mp4 = (...codecs: readonly string[]) => {
  const strict = ['-strict', '-2']
  return ffmpeg(...PICTURE(1), ...TONE(1), ...codecs, ...strict, ...FRAGMENTS, '-f', 'mp4', '-')
}

/** Each with what it is called, and what a browser is asked for. */
const STREAMS: readonly (readonly [name: string, bytes: Buffer, text: string, mime: string])[] = [
  ['VP8 and Vorbis', webm(...vp8, ...vorbis), 'WebM · VP8 320×180 · Vorbis', 'video/webm; codecs="vp8, vorbis"'],
  ['VP9 and Opus', webm(...vp9, ...opus), 'WebM · VP9 320×180 · Opus', 'video/webm; codecs="vp9, opus"'],
  ['AV1 alone', webm(...av1, '-an'), 'WebM · AV1 320×180', 'video/webm; codecs="av01.0.00M.08"'],
  ['Opus alone', sound('webm', ...opus), 'WebM · Opus', 'audio/webm; codecs="opus"'],
  [
    'H.264 and AAC',
    mp4(...h264, '-profile:v', 'baseline', ...aac),
    'fragmented MP4 · H.264 320×180 · AAC',
    'video/mp4; codecs="avc1.42c00b, mp4a.40.2"',
  ],
  [
    'H.265 and Opus',
    mp4(...h265, '-tag:v', 'hvc1', ...opus),
    'fragmented MP4 · H.265 320×180 · Opus',
    'video/mp4; codecs="hvc1.1.6.L60.90, opus"',
  ],
  [
    'VP9 and FLAC in MP4',
    mp4(...vp9, ...flac),
    'fragmented MP4 · VP9 320×180 · FLAC',
    'video/mp4; codecs="vp09.00.11.08, flac"',
  ],
  ['AV1 in MP4', mp4(...av1, '-an'), 'fragmented MP4 · AV1 320×180', 'video/mp4; codecs="av01.0.00M.08"'],
  [
    'MP3 in MP4',
    mp4(...h264, ...mp3),
    'fragmented MP4 · H.264 320×180 · MP3',
    'video/mp4; codecs="avc1.42c00b, mp4a.6b"',
  ],
  ['MP3', sound('mp3', ...mp3), 'MP3 · sound', 'audio/mpeg'],
  ['MP3 without tags', sound('mp3', ...mp3, '-write_xing', '0', '-id3v2_version', '0'), 'MP3 · sound', 'audio/mpeg'],
  ['AAC', sound('adts', ...aac), 'AAC · sound', 'audio/aac'],
]

for (const [name, bytes, text, mime] of STREAMS) {
  t.test(name, async (t) => {
    const whole = found(bytes, true)
    t.equal(whole.kind, 'stream', JSON.stringify(whole))
    if (whole.kind !== 'stream') return
    t.equal(describe(whole), text)
    t.equal(whole.mime, mime)
    // However little has come, nothing else is said of it: first that there is not enough, and then the same.
    let known = 0
    for (let length = 0; length < Math.min(bytes.length, 8000); length++) {
      const part = found(bytes.subarray(0, length))
      if (part.kind === 'more') {
        if (known > 0) t.fail(`${length} bytes: known, and then not`)
      } else {
        if (known++ === 0) t.same(part, whole, `${length} bytes`)
        else if (JSON.stringify(part) !== JSON.stringify(whole)) t.fail(`${length} bytes: ${JSON.stringify(part)}`)
      }
    }
    t.ok(known > 0)
  })
}

t.test('H.264 profiles, as the manifest of a DASH stream names them', async (t) => {
  for (const profile of ['baseline', 'main', 'high']) {
    const codecs = [...PICTURE(1), ...h264, '-profile:v', profile]
    const manifest = join(folder, 'manifest.mpd')
    ffmpeg(...codecs, '-f', 'dash', manifest)
    const [, wanted] = /codecs="([^"]+)"/.exec(readFileSync(manifest, 'utf8'))!
    const finding = found(ffmpeg(...codecs, ...FRAGMENTS, '-f', 'mp4', '-'))
    t.match(finding, { kind: 'stream', mime: `video/mp4; codecs="${wanted}"` }, profile)
  }
})

const plain = join(folder, 'plain.mp4')
ffmpeg(...PICTURE(1), ...TONE(1), ...h264, ...aac, plain)
const faststart = join(folder, 'faststart.mp4')
ffmpeg(...PICTURE(1), ...TONE(1), ...h264, ...aac, '-movflags', 'faststart', faststart)
const ts = ffmpeg(...PICTURE(1), ...TONE(1), ...h264, ...aac, '-f', 'mpegts', '-')
const mkv = (...codecs: readonly string[]) => ffmpeg(...PICTURE(1), ...codecs, '-f', 'matroska', '-')

const OTHERS: readonly (readonly [name: string, bytes: Uint8Array, what: string, isMedia: boolean])[] = [
  ['an MP4 whose index is at its end', readFileSync(plain), 'an MP4 in one piece', true],
  ['an MP4 whose index is first', readFileSync(faststart), 'an MP4 in one piece', true],
  ['MPEG-TS', ts, 'an MPEG transport stream', true],
  ['MPEG-TS that was joined late', ts.subarray(12_345), 'an MPEG transport stream', true],
  ['Matroska with H.264', mkv(...h264), 'Matroska with H.264', true],
  ['Matroska with FFV1', mkv('-c:v', 'ffv1'), 'Matroska with MS/VFW/FOURCC', true],
  ['Ogg', sound('ogg', ...vorbis), 'Ogg', true],
  ['WAV', sound('wav'), 'WAV', true],
  ['AVI', ffmpeg(...PICTURE(1), '-c:v', 'mjpeg', '-f', 'avi', '-'), 'AVI', true],
  ['FLV', ffmpeg(...PICTURE(1), ...h264, '-f', 'flv', '-'), 'Flash video', true],
  ['FLAC', sound('flac'), 'FLAC', true],
  ['H.264 alone', ffmpeg(...PICTURE(1), ...h264, '-f', 'h264', '-'), 'H.264 or H.265 without a container', true],
  [
    'text',
    Buffer.from('hello, this is no recording at all\n'.repeat(100)),
    'nothing that is known here as a recording',
    false,
  ],
  ['zeros', Buffer.alloc(5000), 'nothing that is known here as a recording', false],
  ['a PDF', Buffer.from(`%PDF-1.7 ${'x'.repeat(1000)}`), 'a PDF', false],
  ['nothing', Buffer.alloc(0), 'empty', false],
  ['three bytes', Buffer.from('abc'), 'too short to be played', false],
  ['a WebM that ends in its header', webm(...vp8, '-an').subarray(0, 200), 'too short to be played', false],
]

for (const [name, bytes, what, isMedia] of OTHERS) {
  t.test(name, async (t) => t.match(found(bytes, true), { kind: 'other', what, isMedia }))
}

t.test('a fragment without what comes before it', async (t) => {
  const fragments = mp4(...h264, ...aac)
  const at = fragments.indexOf('moof') - 4
  t.match(found(fragments.subarray(at)), { kind: 'other', what: 'an MP4 with a broken header' })
})

t.test('a WebM from a cluster on, and one that lies about its sizes', async (t) => {
  const whole = webm(...vp8, ...opus)
  t.match(found(whole.subarray(whole.indexOf('1f43b675', 'hex'))), { kind: 'other' })
  const tracks = whole.lastIndexOf('1654ae6b', undefined, 'hex')
  for (const [at, byte] of [
    [tracks + 4, 0x00],
    [tracks, 0x00],
    [whole.indexOf('V_VP8'), 0x58],
  ] as const) {
    const broken = Buffer.from(whole)
    broken[at] = byte
    const finding: Finding = found(broken, true)
    t.equal(finding.kind, 'other', JSON.stringify(finding))
  }
})

t.test('whatever comes, it ends, and says something', async (t) => {
  const beginnings = STREAMS.map(([, bytes]) => bytes.subarray(0, 1500))
  let seed = 42
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(beginnings[random(beginnings.length)]!)
    for (let n = random(6); n >= 0; n--) bytes[random(i % 2 === 0 ? 200 : bytes.length)] = random(256)
    const { kind } = found(bytes.subarray(0, random(bytes.length)), true)
    if (kind === 'more') t.fail(`run ${i}: nothing is said`)
  }
  const endless = Buffer.alloc(MOST_BYTES, 0xec)
  Buffer.from('1a45dfa38018538067ff', 'hex').copy(endless)
  t.match(found(endless), { kind: 'other' })
})
