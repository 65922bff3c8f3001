/**
 * `npm test` after the build: every test file in a Node of its own, some at once, with TAP on standard output.
 * `node dist/test/run.js test/reader test/core/pipe` runs only the files whose path begins so.
 *
 * `tap` does that too, but costs a second of CPU for each file: it starts each with hooks of the module loader, for mocks and for
 * coverage, which nothing here uses and through which every import then goes; and it needs a build of its own, 12 s, to leave
 * out its TypeScript. The tests are tap's either way: `npx tap dist/test/core/pipe.test.js` shows more at a terminal.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PROJECT } from './support/project.js'

/** How many files run at once: most of them wait for a process or for a clock, so more than there are processors. */
const JOBS = 4
/** Seconds that a file may take. tap reads the same variable in the test itself. */
const TIMEOUT = Number(process.env.TAP_TIMEOUT ?? 300)

/** What takes longest begins first: otherwise one of these runs alone at the end. */
const LONGEST: readonly string[] = []

const wanted = process.argv.slice(2)
// A test whose source has gone may still be there as compiled.
const all = readdirSync(join(PROJECT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join('test', file))
  .sort()
for (const file of LONGEST)
  if (!existsSync(join(PROJECT, file))) throw new Error(`test/run.ts names ${file}: not there`)
const files = [...new Set([...LONGEST, ...all])].filter(
  (file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)),
)
if (files.length === 0) throw new Error(`no test is called ${wanted.join(' or ')}`)

t.setTimeout(0)
t.jobs = JOBS
t.plan(files.length)
for (const file of files) {
  const name = join('dist', file.replace(/\.ts$/, '.js'))
  // tap puts its hooks into NODE_OPTIONS; only another program before Node can take them out again.
  const node = ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', name]
  const env = { ...process.env, TAP_TIMEOUT: String(TIMEOUT) }
  void t.spawn('env', node, { name, cwd: PROJECT, env, buffered: true, timeout: TIMEOUT * 1000 })
}
