/** What the examples of docs/messages.md have to lead to. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from './stage.js'

export const MESSAGES_STAGES: Readonly<Record<string, Stage>> = {
  'queue-jobs': {
    check(t, dir) {
      t.equal(readFileSync(join(dir, 'done.txt'), 'utf8'), 'resize 7.png\nresize 8.png\n')
    },
  },
  'queue-lines': {},
  'queue-many': {},
  'queue-status': {},
  'ask-shell': {
    check(t, dir) {
      t.equal(readFileSync(join(dir, 'answer.txt'), 'utf8'), 'IS ANYBODY THERE?')
      t.equal(readFileSync(join(dir, 'other.txt'), 'utf8'), 'ME TOO')
    },
  },
  'ask-status': {},
}
