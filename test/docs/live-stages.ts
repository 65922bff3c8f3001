/** What the examples with `?live` need around them, and what they have to lead to. */
import { execFileSync } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'
import type { Stage } from './stage.js'

/** A log that grows, and a desk at which its errors are seen. */
const LOG: Stage = {
  has: { 'app.log': 'an old line\n' },
  async endless(dir, run) {
    const [, desk] = run
    // What is written before the desk is there is not for it.
    await eventually(
      async () => {
        await appendFile(join(dir, 'app.log'), 'INFO all is well\nERROR the disk is full\n')
        return /^ERROR the disk is full$/m.test(desk!.text) || `the desk shows ${desk!.text}`
      },
      { everyMs: 100 },
    )
  },
}

/** Frames that can be decoded, of which the first is a keyframe. */
function frames(t: Test, file: string): number {
  const asked = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=key_frame', '-of', 'csv=p=0', file]
  const lines = execFileSync('ffprobe', asked, { encoding: 'utf8' }).trim().split('\n')
  t.match(lines[0], /^1/, `${file} begins with a keyframe`)
  return lines.length
}

export const LIVE_STAGES: Readonly<Record<string, Stage>> = {
  tail: LOG,
  'tail-curl': LOG,
  'live-log': LOG,
  'live-camera': {
    shells: ['zsh'],
    check(t, dir) {
      const whole = frames(t, join(dir, 'recording.webm'))
      const late = frames(t, join(dir, 'the-end-of-it.webm'))
      t.equal(whole, 300, '12 s of 25 frames')
      // On a machine that is slow to start it may be there when it begins; test/gateway/router/live has viewers that surely are late.
      t.ok(late > 0 && late <= whole, `${late} of ${whole} frames`)
    },
  },
  'live-lines': {},
  'live-head': {},
}
