/** WebM as programs write it: ffmpeg, and a browser's MediaRecorder. And what ffmpeg makes of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import type { Chromium } from '../../support/browser.js'
import { command } from '../../support/command.js'
import type { Teardown } from '../../support/teardown.js'

const SECONDS = 4
/** Pictures per second. */
const RATE = '10'
const VIDEO = ['-f', 'lavfi', '-i', `testsrc=size=128x96:rate=${RATE}:duration=${SECONDS}`]
const AUDIO = ['-f', 'lavfi', '-i', `sine=duration=${SECONDS}`]
const OPUS = ['-c:a', 'libopus', '-b:a', '32k']

/** Codecs, each with a keyframe every second. */
export const INPUTS: Readonly<Record<string, readonly string[]>> = {
  'VP8 and Opus': [...VIDEO, ...AUDIO, '-c:v', 'libvpx', '-g', RATE, '-deadline', 'realtime', ...OPUS],
  'VP9 and Opus': [
    ...VIDEO,
    ...AUDIO,
    '-c:v',
    'libvpx-vp9',
    '-g',
    RATE,
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    ...OPUS,
  ],
  AV1: [...VIDEO, '-vf', 'noise=alls=40:allf=t', '-c:v', 'libsvtav1', '-g', RATE, '-preset', '10', '-b:v', '400k'],
  'VP8, two pictures, and Vorbis': [
    ...VIDEO,
    ...VIDEO,
    ...AUDIO,
    '-map',
    '0',
    '-map',
    '1',
    '-map',
    '2',
    '-c:v',
    'libvpx',
    '-g',
    RATE,
    '-deadline',
    'realtime',
    '-c:a',
    'libvorbis',
  ],
  'Opus alone': [...AUDIO, ...OPUS],
}

/** How ffmpeg is told to write it. Into a pipe sizes stay unknown; into a file it goes back and fills them in. */
export const WAYS: Readonly<Record<string, readonly string[]>> = {
  live: ['-f', 'webm', '-live', '1', '-cluster_time_limit', '300'],
  'a file': ['-f', 'webm', '-cluster_time_limit', '700'],
  'a file with its Cues in front': [
    '-f',
    'matroska',
    '-cluster_time_limit',
    '700',
    '-cues_to_front',
    '1',
    '-write_crc32',
    '1',
  ],
}

/** Runs ffmpeg and returns what it writes to `path`, which may be a pipe: `-`. */
export async function ffmpeg(args: readonly string[], path: string): Promise<Buffer> {
  const { code, stdout, stderr } = await command('ffmpeg', ['-v', 'error', '-y', ...args, path])
  if (code !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** What a program says about a stream that it is given. */
async function judged(program: string, args: readonly string[], stream: Uint8Array) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  // It may have read enough before the end.
  child.stdin.on('error', () => {})
  child.stdin.end(stream)
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, code: code as number }
}

export interface Packet {
  readonly stream: number
  readonly isVideo: boolean
  readonly isKey: boolean
  /** Offset of its block in the stream. */
  readonly offset: number
}

/** All packets, as ffprobe sees them. */
export async function packetsOf(stream: Uint8Array): Promise<Packet[]> {
  const args = ['-v', 'error', '-of', 'json', '-show_entries', 'packet=stream_index,codec_type,pos,flags', '-']
  const { stdout, stderr } = await judged('ffprobe', args, stream)
  if (stderr !== '') throw new Error(`ffprobe: ${stderr}`)
  const { packets } = JSON.parse(stdout.toString()) as { packets: Record<string, string>[] }
  return packets.map(({ stream_index, codec_type, pos, flags }) => ({
    stream: Number(stream_index),
    isVideo: codec_type === 'video',
    isKey: flags!.startsWith('K'),
    offset: Number(pos),
  }))
}

/** Decodes all of it. Returns how many frames of its first stream there were, and what ffmpeg complained about. */
export async function play(stream: Uint8Array): Promise<{ frames: number; complaints: string }> {
  // A recorder's frames come when they come: with the times that they have, in milliseconds.
  const asTheyAre = ['-fps_mode', 'passthrough', '-enc_time_base', '1:1000']
  const streams = ['-map', '0:v:0?', '-map', '0:a?', ...asTheyAre]
  const args = ['-v', 'error', '-progress', 'pipe:1', '-i', '-', ...streams, '-f', 'null', '-']
  const { stdout, stderr, code } = await judged('ffmpeg', args, stream)
  const frames = [...stdout.toString().matchAll(/^frame=(\d+)$/gm)].at(-1)?.[1]
  return { frames: Number(frames ?? 0), complaints: code === 0 ? stderr : `${stderr} (${code})` }
}

/** Runs in the page: records a picture that moves, with a tone or not, and starts again as often as it is told. */
const RECORD = `async ({ mimeType, hasVideo, hasAudio, times, ms }) => {
  const tracks = []
  if (hasVideo) {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width: 128, height: 96 })
    const context = canvas.getContext('2d')
    let n = 0
    setInterval(() => {
      context.fillStyle = 'hsl(' + (n * 7) % 360 + ' 90% 50%)'
      context.fillRect((n * 3) % 128, 0, 40, 96)
      n++
    }, 30)
    tracks.push(...canvas.captureStream(30).getVideoTracks())
  }
  if (hasAudio) {
    const audio = new AudioContext()
    const tone = audio.createOscillator()
    const out = audio.createMediaStreamDestination()
    tone.connect(out)
    tone.start()
    tracks.push(...out.stream.getAudioTracks())
  }
  const parts = []
  for (let i = 0; i < times; i++) {
    const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType, videoKeyFrameIntervalDuration: 700 })
    recorder.ondataavailable = ({ data }) => parts.push(data)
    const stopped = new Promise((resolve) => { recorder.onstop = resolve })
    recorder.start(100)
    await new Promise((resolve) => setTimeout(resolve, ms))
    recorder.stop()
    await stopped
  }
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer())
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}`

export interface Recording {
  readonly mimeType: string
  readonly hasVideo: boolean
  readonly hasAudio: boolean
  /** How often it is started. */
  readonly times: number
  readonly ms: number
}

/** What a MediaRecorder writes. */
export async function record(t: Teardown, chromium: Chromium, recording: Recording): Promise<Buffer> {
  const { page } = await chromium.open(t)
  await page.goto('about:blank')
  return Buffer.from(await page.evaluate<string>(`(${RECORD})(${JSON.stringify(recording)})`), 'base64')
}
