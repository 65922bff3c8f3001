/** The examples of docs/send-receive.md and docs/watch.md. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Stage, same } from './stage.js'

const PHOTOS = { one: 'first file', two: 'x'.repeat(100_000) }

export const PEOPLE_STAGES: Readonly<Record<string, Stage>> = {
  'send-receive': {
    has: { photos: PHOTOS, 'notes.txt': 'of the journey' },
    there: {},
    check(t, dir) {
      same(t, dir, 'photos/two', 'there/photos/two')
      same(t, dir, 'notes.txt', 'there/notes.txt')
    },
  },
  'send-age': {
    has: { 'plans.txt': 'nobody must know' },
    there: {},
    prepare(dir) {
      execFileSync('age-keygen', ['-o', join(dir, 'anna.key')], { stdio: 'pipe' })
      copyFileSync(join(dir, 'anna.key'), join(dir, 'there/anna.key'))
      return {}
    },
    check: (t, dir) => same(t, dir, 'plans.txt', 'there/plans.txt'),
  },
  'send-json': {
    has: { 'backup.tar': 'x'.repeat(1_000_000) },
    there: {},
    check(t, dir) {
      same(t, dir, 'backup.tar', 'there/copy.tar')
      const outcome = JSON.parse(readFileSync(join(dir, 'outcome.json'), 'utf8'))
      t.match(outcome, { event: 'outcome', state: 'complete', exitCode: 0, bytes: 1_000_000, receivers: 1 })
      t.match(outcome.sha256, /^[0-9a-f]{64}$/)
    },
  },
  'watch-next': {
    has: { photos: PHOTOS, elsewhere: {} },
    check(t, dir) {
      same(t, dir, 'photos/two', 'elsewhere/photos/two')
      t.ok(existsSync(join(dir, 'next-step')))
    },
  },
  'watch-json': {
    has: { 'backup.tar': 'x'.repeat(1_000_000) },
    check(t, dir) {
      const outcome = { state: 'complete', exitCode: 0, receipt: { bytes: 1_000_000 } }
      t.match(JSON.parse(readFileSync(join(dir, 'outcome.json'), 'utf8')), { event: 'outcome', data: outcome })
    },
  },
}
