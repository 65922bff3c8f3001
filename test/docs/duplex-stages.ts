/** What the examples with `?duplex` need around them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from './stage.js'

const read = (dir: string, file: string) => readFileSync(join(dir, file), 'utf8')

export const DUPLEX_STAGES: Readonly<Record<string, Stage>> = {
  'duplex-curl': {
    check(t, dir) {
      t.equal(read(dir, 'here.txt'), 'hello from there\n')
      t.equal(read(dir, 'there.txt'), 'hello from here\n')
    },
  },
  'duplex-parts': {
    check(t, dir) {
      t.equal(read(dir, 'a.txt'), 'from b\n')
      t.equal(read(dir, 'b.txt'), 'from a\n')
    },
  },
  'duplex-status': {},
}
