/** An access log that cannot be written holds neither a request nor the end of the process. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { startProgram } from '../../support/program.js'
import { TEST_THREADS } from '../../support/threads/wanted.js'

t.jobs = 2

function configFor(dir: string, file: string): string {
  const config = join(dir, 'pipegate.json')
  writeFileSync(
    config,
    JSON.stringify({ plugins: [{ plugin: 'access-log', config: { output: { file } } }, 'metrics'] }),
  )
  return config
}

async function lost(url: string): Promise<number> {
  const { stdout } = await curlDone([url])
  return Number(/^pipegate_log_lines_lost_total\{log="access-log"\} (\d+)/m.exec(stdout.toString())?.[1])
}

t.test('a full disk: everything goes on, the log says so once, and it stops', async (t) => {
  const program = await startProgram(t, ['--config', configFor(t.testdir({}), '/dev/full')])
  for (let i = 0; i < 20; i++) t.equal((await curlDone(['-m', '5', program.url('version')])).code, 0, `request ${i}`)
  const receiver = curl(['-m', '5', program.url('through')])
  t.equal((await curlDone(['-m', '5', '-d', 'it goes', program.url('through')])).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'it goes')
  const line = await program.waitForLog('the access log cannot be written', 1, 20_000)
  t.match(line, { plugin: 'access-log', err: { code: 'ENOSPC' } })
  t.equal(await lost(program.url('metrics')), 0, 'what was said so far is kept')
  const exit = await program.endsAfter('SIGTERM')
  t.equal(exit.code, 0)
  t.ok(exit.ms < 5000, `stopped after ${Math.round(exit.ms)} ms`)
  const said = program.logged('the access log cannot be written').length
  t.ok(said <= TEST_THREADS, `said ${said} times: each thread writes for itself`)
})

t.test('a reader of a named pipe that has stopped: everything goes on, and it stops', async (t) => {
  const dir = t.testdir({})
  const fifo = join(dir, 'fifo')
  execFileSync('mkfifo', [fifo])
  // Open for reading, and never read.
  const holder = openSync(fifo, 'r+')
  t.teardown(() => closeSync(holder))
  const program = await startProgram(t, ['--config', configFor(dir, fifo)])
  const path = `${'x'.repeat(900)}?status`
  const urls = Array.from({ length: 200 }, () => program.url(path))
  t.equal((await curlDone(['-m', '20', ...urls])).code, 0, 'more than a pipe holds')
  const exit = await program.endsAfter('SIGTERM')
  t.equal(exit.code, 0)
  t.ok(exit.ms < 5000, `stopped after ${Math.round(exit.ms)} ms`)
  t.equal(program.logged('the last lines of the access log could not be written').length, 1)
})
