/** The examples of docs/media.md. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Stage, same } from './stage.js'

/** The codecs of a recording, all of which ffmpeg can decode. */
function codecsOf(file: string): string[] {
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-xerror', '-i', file, '-f', 'null', '-'])
  const asked = ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', file]
  return execFileSync('ffprobe', asked, { encoding: 'utf8' }).trim().split('\n').sort()
}

export const MEDIA_STAGES: Readonly<Record<string, Stage>> = {
  // A machine that runs tests has neither a loudspeaker nor a screen.
  'media-play': { shells: ['zsh'], prepare: () => ({ SDL_AUDIODRIVER: 'dummy', SDL_VIDEODRIVER: 'dummy' }) },
  'media-webm': {
    shells: ['zsh'],
    check: (t, dir) => void t.same(codecsOf(join(dir, 'seen.webm')), ['opus', 'vp8']),
  },
  'media-mp4': {
    shells: ['zsh'],
    check: (t, dir) => {
      same(t, dir, 'one.mp4', 'two.mp4')
      t.same(codecsOf(join(dir, 'one.mp4')), ['h264'])
    },
  },
}
