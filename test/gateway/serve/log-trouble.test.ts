/**
 * A log that cannot be written holds nobody: real processes whose standard output is a full disk, a terminal that is gone, a
 * reader that is gone or has stopped. Each of them used to end in a gateway that answers nobody and does not stop.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { MAIN, ownEnvironment, PROJECT } from '../../support/program.js'

t.jobs = 2

interface Line {
  readonly msg: string
  readonly [field: string]: unknown
}

interface Served {
  readonly child: ChildProcess
  readonly pid: number
  url(name: string): string
  /** A transfer that is running from its first byte on. */
  readonly transfer: { write(text: string): void; end(): Promise<string> }
  /** The value of the metric for lines that were lost. */
  lost(): Promise<number>
  /** Ends it by SIGTERM and says how: exit code or signal, and seconds. */
  stop(): Promise<{ code: number | string | null; seconds: number }>
}

/** Serves with this as its standard output, and waits until it answers. */
async function serve(t: Test, stdout: number | 'pipe', ...flags: string[]): Promise<Served> {
  const port = await freePort()
  const args = [MAIN, 'serve', '--port', `${port}`, '--drain', '5', ...flags]
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    env: ownEnvironment(),
    stdio: ['ignore', stdout, 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const url = (name: string) => `http://127.0.0.1:${port}/api/v1/pipe/${name}`
  const answers = async () => (await curlDone(['-m', '2', url('health')])).code === 0
  await eventually(async () => (await answers()) || `nothing on port ${port}`, { timeoutMs: 30_000 })
  const receiver = curl(['-N', url('running')])
  const sender = curl(['-T', '.', '-sN', url('running')])
  return {
    child,
    pid: child.pid!,
    url,
    transfer: {
      write: (text) => void sender.stdin.write(text),
      async end() {
        sender.stdin.end()
        return (await receiver.result).stdout.toString()
      },
    },
    async lost() {
      const { stdout: text } = await curlDone(['-m', '5', url('metrics')])
      return Number(/^pipegate_log_lines_lost_total\{log="gateway"\} (\d+)/m.exec(text.toString())?.[1] ?? 'NaN')
    },
    async stop() {
      const from = performance.now()
      child.kill('SIGTERM')
      const isOver = () => child.exitCode !== null || child.signalCode !== null || 'it does not stop'
      await eventually(isOver, { timeoutMs: 15_000 })
      return { code: child.exitCode ?? child.signalCode, seconds: (performance.now() - from) / 1000 }
    },
  }
}

/** Requests, a running transfer and a new one, on a gateway whose log cannot be written. */
async function goesOn(t: Test, { url, transfer }: Served): Promise<void> {
  transfer.write('first ')
  for (let i = 0; i < 20; i++) t.equal((await curlDone(['-m', '5', url(`version?${i}`)])).code, 0, `request ${i}`)
  const receiver = curl(['-m', '5', url('another')])
  t.equal((await curlDone(['-m', '5', '-d', 'through', url('another')])).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'through')
  transfer.write('last')
  t.equal(await transfer.end(), 'first last', 'the running transfer went on')
}

function linesOf(text: string): Line[] {
  if (text.at(-1) !== '\n') throw new Error(`the last line is torn: ${text.slice(-200)}`)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
}

/** Asks so often, with a line of 1.1 kB for each, on connections that are kept. */
async function ask(url: (name: string) => string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  let asked = 0
  const one = () =>
    new Promise<void>((resolve, reject) => {
      get(url(`${'x'.repeat(900)}?status&${asked++}`), { agent, timeout: 10_000 }, (response) => {
        response.resume().once('end', resolve)
      })
        .once('error', reject)
        .once('timeout', () => reject(new Error('no answer')))
    })
  const some = async () => {
    while (asked < count) await one()
  }
  await Promise.all(Array.from({ length: 16 }, some))
  agent.destroy()
}

t.test('a full disk (ENOSPC): everything goes on, and it stops when it is told to', async (t) => {
  const served = await serve(t, openSync('/dev/full', 'w'))
  await goesOn(t, served)
  t.equal(await served.lost(), 0, 'what was said so far is kept')
  const { code, seconds } = await served.stop()
  t.equal(code, 0)
  t.ok(seconds < 5, `stopped after ${seconds.toFixed(1)} s`)
})

t.test('a full disk, with several threads: the lines that are lost are counted, once', async (t) => {
  const served = await serve(t, openSync('/dev/full', 'w'), '--threads', '2')
  await goesOn(t, served)
  t.equal(await served.lost(), 0, 'what was said so far is kept')
  const asked = 12_000
  await ask(served.url, asked)
  // 8 MiB are kept, of lines of 1.1 kB.
  await eventually(async () => (await served.lost()) > asked - 9000 || `${await served.lost()} lines`)
  const lost = await served.lost()
  t.ok(lost < asked, `${lost} of ${asked} lines`)
  t.equal((await served.stop()).code, 0)
})

for (const format of ['auto', 'json']) {
  t.test(`a terminal that is gone (EIO), --log-format ${format}`, async (t) => {
    const pidFile = join(t.testdir({}), 'pid')
    const port = await freePort()
    const command = `${process.execPath} ${MAIN} serve --port ${port} --drain 5 --log-format ${format}`
    // A session of its own: the end of the terminal would end it by SIGHUP otherwise.
    const script = `setsid sh -c 'echo $$ > ${pidFile}; exec ${command}' & wait`
    const terminal = spawn('script', ['-qfec', script, '/dev/null'], {
      cwd: PROJECT,
      env: ownEnvironment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let shown = ''
    terminal.stdout.on('data', (chunk) => (shown += chunk))
    t.teardown(() => terminal.kill('SIGKILL'))
    const url = (name: string) => `http://127.0.0.1:${port}/api/v1/pipe/${name}`
    const started = format === 'auto' ? 'Ctrl-C stops it.' : 'listening'
    await eventually(() => shown.includes(started) || `it shows ${shown}`, { timeoutMs: 30_000 })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    t.teardown(() => isThere(pid) && process.kill(pid, 'SIGKILL'))
    if (format === 'auto') t.notMatch(shown, 'listening', 'a terminal is written to as for a person')
    terminal.kill('SIGKILL')
    await once(terminal, 'exit')
    for (let i = 0; i < 20; i++) t.equal((await curlDone(['-m', '5', url(`version?${i}`)])).code, 0, `request ${i}`)
    process.kill(pid, 'SIGTERM')
    await eventually(() => !isThere(pid) || 'it does not stop', { timeoutMs: 20_000 })
  })
}

/** Whether a process runs, which is not this one's child. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('a reader that is gone (EPIPE)', async (t) => {
  const served = await serve(t, 'pipe')
  served.child.stdout!.destroy()
  await goesOn(t, served)
  const { code, seconds } = await served.stop()
  t.equal(code, 0)
  t.ok(seconds < 5, `stopped after ${seconds.toFixed(1)} s`)
})

t.test(
  'a reader that has stopped: memory is bounded, lines are lost and counted, and it says so when it is read',
  async (t) => {
    const served = await serve(t, 'pipe')
    await served.transfer.end()
    // From here on nothing more is kept.
    await ask(served.url, 9000)
    const before = residentBytes(served.pid)
    await ask(served.url, 18_000)
    const grown = residentBytes(served.pid) - before
    t.ok(grown < 10e6, `${Math.round(grown / 1e6)} MB more after 20 MB of lines`)
    t.comment(`resident memory: ${Math.round(before / 1e6)} MB, and ${Math.round(grown / 1e6)} MB more`)
    const lost = await served.lost()
    t.ok(lost > 10_000, `${lost} lines were lost`)
    let read = ''
    served.child.stdout!.setEncoding('utf8').on('data', (text) => (read += text))
    await eventually(() => read.includes('"lines of the log were lost"') || 'nobody says so')
    const ended = once(served.child, 'close')
    const { code } = await served.stop()
    t.equal(code, 0)
    await ended
    const lines = linesOf(read)
    const gap = lines.find(({ msg }) => msg === 'lines of the log were lost')!
    // One more: the request that read the metric.
    t.ok(gap.lines === lost || gap.lines === lost + 1, `${gap.lines} of ${lost}`)
    t.equal(gap.why, 'they came faster than they were taken')
    const ids = lines.filter(({ msg }) => msg === 'request').map(({ id }) => id as number)
    t.ok(ids.length > 6000 && ids.length + (gap.lines as number) > 27_000, `${ids.length} are there`)
    t.equal(lines.at(-1)!.msg, 'stopped')
  },
)

t.test('a reader that has stopped does not hold the exit', async (t) => {
  const served = await serve(t, 'pipe')
  await served.transfer.end()
  await ask(served.url, 1000)
  const { code, seconds } = await served.stop()
  t.equal(code, 0)
  t.ok(seconds < 5, `stopped after ${seconds.toFixed(1)} s, with ${served.child.stdout!.readableLength} bytes read`)
})

t.test('a disk that has room again: no line is lost, none is torn, all are in their order', async (t) => {
  const file = join(t.testdir({}), 'log')
  const out = openSync(file, 'a')
  const served = await serve(t, out)
  // What a full disk does, for one process: a write beyond this is cut short, and the next one fails. Only from here on: the
  // engine may be loaded from a copy in memory, which is a file too.
  execFileSync('prlimit', ['--pid', `${served.pid}`, '--fsize=20000:unlimited'])
  await goesOn(t, served)
  await ask(served.url, 100)
  await eventually(() => readFileSync(file).length === 20_000 || 'there is room left')
  execFileSync('prlimit', ['--pid', `${served.pid}`, '--fsize=unlimited:unlimited'])
  await eventually(() => readFileSync(file).length > 100_000 || 'nothing more was written')
  t.equal((await served.stop()).code, 0)
  const lines = linesOf(readFileSync(file, 'utf8'))
  t.notOk(lines.some(({ msg }) => msg === 'lines of the log were lost'))
  const ids = lines.filter(({ msg }) => msg === 'request').map(({ id }) => id as number)
  t.ok(ids.length > 120)
  const missing = ids.toSorted((a, b) => a - b).filter((id, i) => id !== i + 1)
  t.same(missing, [], 'every request has its line')
  const times = lines.map(({ time }) => time as number)
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
  t.equal(lines.at(-1)!.msg, 'stopped')
})

t.test('a start that fails ends, whatever the log is', async (t) => {
  const busy = await serve(t, openSync('/dev/null', 'w'))
  const { port } = new URL(busy.url(''))
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', port], {
    cwd: PROJECT,
    env: ownEnvironment(),
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr!.on('data', (chunk) => (said += chunk))
  await eventually(() => child.exitCode !== null || 'it still runs', { timeoutMs: 30_000 })
  t.equal(child.exitCode, 1)
  t.match(said, /the port is in use/)
  await busy.transfer.end()
  await busy.stop()
})

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024
}
