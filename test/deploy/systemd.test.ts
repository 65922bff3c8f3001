/** The unit for systemd: it is sound, and its filter lets the gateway make the system calls that it makes. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { MAIN, readProject } from '../support/project.js'

const unit = readProject('deploy/systemd/pipegate.service')

t.test('systemd understands every line', async (t) => {
  const dir = t.testdir({})
  // As itself, and as the template that docs/operating.md makes of it.
  for (const [name, asked] of [['pipegate.service'], ['pipegate@.service', 'pipegate@blue.service']] as const) {
    // The program is not installed here; all else is as it stands.
    writeFileSync(join(dir, name), unit.replaceAll('/usr/bin/pipegate', process.execPath))
    const args = ['verify', '--man=no', join(dir, asked ?? name)]
    const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    // Of other units of the machine it may complain, too.
    const complaints = stderr.split('\n').filter((line) => line.includes('pipegate'))
    t.same([status, complaints], [0, []], name)
  }
})

t.test('it commands what the program understands', async (t) => {
  const commands = [...unit.matchAll(/^ExecStart(?:Pre)?=\/usr\/bin\/pipegate (.*)$/gm)].map(([, line]) => line!)
  t.equal(commands.length, 2)
  const config = join(t.testdir({ 'pipegate.yaml': 'port: 0\n' }), 'pipegate.yaml')
  for (const line of commands) {
    const args = line
      .replace('/etc/pipegate/pipegate.yaml', config)
      .replace(/^serve/, 'check')
      .split(' ')
    t.equal(spawnSync(process.execPath, [MAIN, ...args]).status, 0, line)
  }
  t.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]) > 30 + 10, 'there is time to drain, and for plugins to stop')
})

/** The system calls of a set, `@system-service`, with those of the sets in it. */
function callsOf(set: string): string[] {
  const lines = execFileSync('systemd-analyze', ['syscall-filter', set], { encoding: 'utf8' }).split('\n').slice(1)
  const names = lines.map((line) => line.replace(/\x1b\[[0-9;]*m/g, '').trim())
  return names.flatMap((name) =>
    name.startsWith('@') ? callsOf(name) : name === '' || name.startsWith('#') ? [] : name,
  )
}

t.test('the filter has what the gateway calls', async (t) => {
  const dir = t.testdir({})
  const trace = join(dir, 'trace')
  const script = `echo $$ > '${dir}/pid'; exec '${process.execPath}' '${MAIN}' serve --port 0 --log-format json`
  const traced = spawn('strace', ['-f', '-qq', '-o', trace, 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let log = ''
  traced.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const ended = new Promise((resolve) => traced.once('exit', resolve))
  await eventually(() => log.includes('"msg":"listening"') || `it does not listen: ${log}`, { timeoutMs: 30_000 })
  const url = /"url":"([^"]+)"/.exec(log)![1]!
  const receiver = curl(['-o', '/dev/null', `${url}name`])
  await curlDone(['-T', '-', `${url}name`], { input: Buffer.alloc(5_000_000) })
  t.equal((await receiver.result).code, 0)
  t.equal((await curlDone([`${url}metrics`])).code, 0)
  process.kill(Number(readFileSync(join(dir, 'pid'), 'utf8')), 'SIGTERM')
  await ended

  const called = new Set([...readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, name]) => name!))
  t.ok(called.has('epoll_ctl') && called.has('accept4'), 'the trace is one of a server')
  const [allowed, ...without] = [...unit.matchAll(/^SystemCallFilter=~?(.*)$/gm)].map(
    ([, sets]) => new Set(sets!.split(' ').flatMap(callsOf)),
  )
  const refused = [...called].filter((name) => !allowed!.has(name) || without.some((set) => set.has(name)))
  // V8 asks once for keys to protect its memory with, and does without when it gets none. A refusal is an error, not a kill.
  t.strictSame(
    refused.filter((name) => name !== 'pkey_alloc'),
    [],
  )
  t.match(unit, /^SystemCallErrorNumber=EPERM$/m)
})
