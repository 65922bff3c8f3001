/**
 * Tests of plugins once more, where what they start is the program with two threads: files that start few of
 * them. `npm run test:threads` runs all.
 */
import { join } from 'node:path'
import t from 'tap'
import { PROJECT } from '../support/project.js'

const CHOSEN: readonly string[] = ['ask/rights', 'topic/figures']

t.jobs = 2
for (const name of CHOSEN) {
  const file = join('dist/test/plugins', `${name}.test.js`)
  const env = { ...process.env, PIPEGATE_TEST_THREADS: '2' }
  void t.spawn(process.execPath, [file], { name, cwd: PROJECT, env, buffered: true })
}
