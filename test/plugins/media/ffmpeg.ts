/** The real ffmpeg: recordings of a test picture and a tone. */
import { execFileSync } from 'node:child_process'

/** Pictures per second: enough to see that they move, and few to encode and to decode. */
export const RATE = 10

/** A moving picture and a sound, as inputs. @param seconds of them */
export const PICTURE = (seconds: number, size = '320x180', rate = RATE) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc=size=${size}:rate=${rate}:duration=${seconds},format=yuv420p`,
]
export const TONE = (seconds: number) => [
  '-f',
  'lavfi',
  '-i',
  `sine=frequency=440:sample_rate=48000:duration=${seconds}`,
]

export const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y'] as const
/** Without these an MP4 is in one piece, which begins to play when all of it is there. */
export const FRAGMENTS = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'] as const

/** Standard output, all of it. */
export function ffmpeg(...args: readonly string[]): Buffer {
  return execFileSync('ffmpeg', [...QUIET, ...args], { maxBuffer: 300_000_000, stdio: ['ignore', 'pipe', 'pipe'] })
}

export const CODECS = {
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
  av1: ['-c:v', 'libsvtav1', '-preset', '10'],
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast'],
  h265: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'],
  opus: ['-c:a', 'libopus'],
  vorbis: ['-c:a', 'libvorbis'],
  aac: ['-c:a', 'aac'],
  mp3: ['-c:a', 'libmp3lame'],
  flac: ['-c:a', 'flac'],
} as const
