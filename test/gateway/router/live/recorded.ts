/** WebM as ffmpeg makes it: who joins late gets something that ffmpeg decodes from its first frame on. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startGateway } from '../../../support/gateway.js'
import { exactly, hasRead, joined, openLive, part, seenBy } from './rig.js'

const SOURCES = {
  video: ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25', '-c:v', 'libvpx', '-g', '10', '-deadline', 'realtime'],
  audio: ['-f', 'lavfi', '-i', 'sine=frequency=440', '-c:a', 'libopus'],
} as const
const CLUSTERS = ['-t', '4', '-cluster_time_limit', '200', '-f', 'webm', 'pipe:1']

function recorded(...tracks: readonly (keyof typeof SOURCES)[]): Buffer {
  const inputs = tracks.flatMap((track) => SOURCES[track].slice(0, 4))
  const codecs = tracks.flatMap((track) => SOURCES[track].slice(4))
  return execFileSync('ffmpeg', ['-v', 'error', ...inputs, ...codecs, ...CLUSTERS], { maxBuffer: 64 * 1024 * 1024 })
}

/** Frames of a track, all of which can be decoded; throws when one cannot. */
function decoded(file: string, track: 'v' | 'a'): number {
  execFileSync('ffmpeg', ['-v', 'error', '-xerror', '-i', file, '-f', 'null', '-'])
  const asked = ['-select_streams', track, '-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0']
  return Number(execFileSync('ffprobe', ['-v', 'error', ...asked, file], { encoding: 'utf8' }).replace(/,?\s*$/, ''))
}

for (const [what, tracks, track] of [
  ['video', ['video'], 'v'],
  ['video and audio', ['video', 'audio'], 'v'],
  ['audio', ['audio'], 'a'],
] as const) {
  part(`a recording of ${what} is joined in its midst`, async (t) => {
    const gateway = await startGateway(t)
    const stream = recorded(...tracks)
    const first = await joined(gateway, 'a?live', 1)
    const sender = await openLive(gateway, 'a?live', 'Content-Type: video/webm')
    const middle = Math.floor(stream.length / 2)
    await sender.send(stream.subarray(0, middle))
    await hasRead(gateway, 'a', middle)
    const late = await joined(gateway, 'a', 2)
    await sender.send(stream.subarray(middle))
    await sender.end()
    for (const viewer of [first, late]) await viewer.waitForResponse()
    exactly(t, first, stream, 0, 'clean')
    const { offset, body } = seenBy(late)
    t.ok(offset >= middle && offset < stream.length, `it began at ${offset} of ${stream.length}`)
    t.ok(body.subarray(-(stream.length - offset)).equals(stream.subarray(offset)), 'every byte from there on')
    t.testdir()
    const files = [stream, body].map((bytes, i) => {
      const file = join(t.testdirName, `${i}.webm`)
      writeFileSync(file, bytes)
      return file
    })
    const [all, end] = files.map((file) => decoded(file, track)) as [number, number]
    t.ok(end > 0 && end < all, `${end} of ${all} frames can be shown`)
  })
}
