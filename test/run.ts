/**
 * `npm test` after the build: every test file in a Node of its own, some at once, with TAP on standard output.
 * `node dist/test/run.js test/reader test/core/pipe` runs only the files whose path begins so.
 *
 * `tap` does that too, but costs a second of CPU for each file: it starts each with hooks of the module loader, for mocks and for
 * coverage, which nothing here uses and through which every import then goes; and it needs a build of its own, 12 s, to leave
 * out its TypeScript. The tests are tap's either way: `npx tap dist/test/core/pipe.test.js` shows more at a terminal.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { PROJECT } from './support/project.js'

/** How many files run at once: most of them wait for a process or for a clock, so more than there are processors. */
const JOBS = 7
/** Seconds that a file may take, on a machine that has much else to do. tap reads the same variable in the test itself. */
const TIMEOUT = Number(process.env.TAP_TIMEOUT ?? 300)

/**
 * What takes longest begins early: otherwise one of these runs alone at the end. Two others begin after each of them, so that
 * not all browsers and encoders run at once.
 */
const LONGEST: readonly string[] = [
  'test/docs/docs.test.ts',
  'test/plugins/media/capture.test.ts',
  'test/gateway/tls/crowds.test.ts',
  'test/docs/plugin-pages.test.ts',
  'test/client/without-engine.test.ts',
  'test/plugins/progress/page.test.ts',
  'test/gateway/serve/threads/memory.test.ts',
  'test/docs/package.test.ts',
  'test/plugins/pages/pages.test.ts',
  'test/plugins/pages/send.test.ts',
  'test/contract/sink.test.ts',
  'test/docs/package-tarball.test.ts',
  'test/gateway/serve/vanished.test.ts',
  'test/plugins/media/live.test.ts',
  'test/client/transfer/attacks.test.ts',
  'test/platform/flow/timers.test.ts',
  'test/compat/other-origins.test.ts',
  'test/gateway/router/endings.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/gateway/router/live-tls.test.ts',
  'test/contract/source.test.ts',
  'test/core/live/real-webm.test.ts',
  'test/gateway/router/live.test.ts',
  'test/plugins/pages/receive.test.ts',
  'test/platform/uws-process.test.ts',
  'test/client/transfer/failures.test.ts',
  'test/plugins/media/player.test.ts',
  'test/gateway/native/unread-answers.test.ts',
  'test/gateway/serve/log-trouble.test.ts',
  'test/gateway/uws/door/ends.test.ts',
]

const wanted = process.argv.slice(2)
// A test whose source has gone may still be there as compiled.
const all = readdirSync(join(PROJECT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join('test', file))
  .sort()
for (const file of LONGEST)
  if (!existsSync(join(PROJECT, file))) throw new Error(`test/run.ts names ${file}: not there`)
const others = all.filter((file) => !LONGEST.includes(file))
const mixed = [...LONGEST.flatMap((file) => [file, ...others.splice(0, 2)]), ...others]
const files = mixed.filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)))
if (files.length === 0) throw new Error(`no test is called ${wanted.join(' or ')}`)

const tries = mkdtempSync(join(tmpdir(), 'pipegate-tests-'))
t.teardown(() => rmSync(tries, { recursive: true, force: true }))
t.setTimeout(0)
t.jobs = JOBS
t.plan(files.length)
for (const file of files) {
  const name = join('dist', file.replace(/\.ts$/, '.js'))
  const env = { ...process.env, TAP_TIMEOUT: String(TIMEOUT) }
  const args = ['test/again.sh', tries, process.execPath, name]
  void t.spawn('sh', args, { name, cwd: PROJECT, env, buffered: true, timeout: 2 * TIMEOUT * 1000 })
}
