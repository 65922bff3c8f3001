/** `pipegate watch` with the gateway and curl. */

import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import progress from '../../../plugins/progress/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { MAIN, Program, startProgram } from '../../support/program.js'
import { ProgressServer } from './progress-server.js'
import { isEnd, PATIENCE_MS } from './watch-command.js'

const plugin = (each: unknown, config = {}) => ({ plugin: each as LoadedPlugin['plugin'], config })

t.test('the gateway and curl: watch && next', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [plugin(progress)] })
  const url = gateway.url('migration')
  const script = `node "$0" watch "$1" && echo next || echo "no next: $?"`
  const watched = () => new Program(t, [], { command: ['bash', '-c', script, MAIN, url] })

  const good = watched()
  await eventually(() => good.stdout.includes('nobody is there') || good.stdout, { timeoutMs: PATIENCE_MS })
  const receiver = curlDone([url])
  t.equal((await curlDone(['-T', '-', url], { input: Buffer.alloc(3_000_000) })).code, 0)
  t.equal((await receiver).stdout.length, 3_000_000)
  t.match((await good.ends(PATIENCE_MS)).stdout, /\ncomplete: 3\.0 MB in .*\nnext\n$/)

  const late = await watched().ends(PATIENCE_MS)
  t.match(late.stdout, /^complete: 3\.0 MB in .*\nnext\n$/, 'somebody who comes just after the end')

  const second = gateway.url('second')
  const bad = new Program(t, [], { command: ['bash', '-c', script, MAIN, second] })
  await eventually(() => bad.stdout.includes('nobody is there') || bad.stdout, { timeoutMs: PATIENCE_MS })
  const sender = curl(['-N', '-T', '-', second])
  const reader = curl(['-N', second])
  t.teardown(() => {
    sender.kill()
    reader.kill()
  })
  sender.stdin.write('half of it')
  await reader.waitFor('half of it')
  await eventually(() => bad.stdout.includes('streaming') || bad.stdout, { timeoutMs: PATIENCE_MS })
  sender.kill()
  t.match((await bad.ends(PATIENCE_MS)).stdout, /\nfailed: sender disconnected .*after 10 B in .*\nno next: 1\n$/)
})

t.test('a live stream: its viewers, and no percentage', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [plugin(progress)] })
  const url = gateway.url('camera')
  const watcher = new Program(t, ['watch', url], {})
  const shows = (text: string) =>
    eventually(() => watcher.stdout.includes(text) || watcher.stdout, { timeoutMs: PATIENCE_MS })
  const viewer = curl(['-N', `${url}?live`])
  t.teardown(() => viewer.kill())
  await shows('camera: waiting for a sender, 1 viewer\n')
  const sender = curl(['-N', '-T', '-', `${url}?live`])
  t.teardown(() => sender.kill())
  sender.stdin.write('a piece')
  await viewer.waitFor('a piece')
  await eventually(() => /\ncamera: streaming, .*, 1 viewer\n/.test(watcher.stdout) || watcher.stdout, {
    timeoutMs: PATIENCE_MS,
  })
  sender.stdin.end()
  const { stdout, code } = await watcher.ends(PATIENCE_MS)
  t.match(stdout, /\ncomplete: 7 B in .*\n$/)
  t.equal(code, 0)
  t.notMatch(stdout, /%|ETA/)
})

t.test('questions: who waits, and what is not answered yet', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [plugin(progress)] })
  const url = gateway.url('loud')
  const watcher = new Program(t, ['watch', url], {})
  const shows = (text: string) =>
    eventually(() => watcher.stdout.includes(text) || watcher.stdout, { timeoutMs: PATIENCE_MS })
  const asker = curl(['-sS', '-d', 'a question', `${url}?ask`])
  await shows('loud: 1 asker and no workers waiting, no questions unanswered\n')
  const question = await curlDone(['-si', `${url}?serve`])
  await shows('no askers and no workers waiting, 1 question unanswered\n')
  const address = /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(question.stdout.toString())?.[1]
  await curlDone(['-sS', '-T', '-', address!], { input: 'an answer' })
  t.equal((await asker.result).stdout.toString(), 'an answer')
  await shows('loud: nobody is there yet')
  watcher.kill('SIGTERM')
})

t.test('the gateway goes away in the middle, and comes back without a memory', async (t) => {
  const spare = await ProgressServer.start(t)
  await spare.stop()
  // A fixed port from the start: one that the system chose cannot be had again while connections to it linger.
  const serve = async () => {
    const program = new Program(t, ['serve', '--port', String(spare.port)], {})
    await program.waitForLog('listening')
    return program
  }
  const first = await serve()
  const url = first.url('migration')
  const watcher = new Program(t, ['watch', url], {})
  const sender = curl(['-N', '-T', '-', url])
  const reader = curl(['-N', url])
  t.teardown(() => {
    sender.kill()
    reader.kill()
  })
  sender.stdin.write('half of it')
  await reader.waitFor('half of it')
  await eventually(() => watcher.stdout.includes('streaming') || watcher.stdout, { timeoutMs: PATIENCE_MS })
  await first.endsAfter('SIGKILL')
  await serve()
  const exit = await watcher.ends(PATIENCE_MS)
  isEnd(
    t,
    exit,
    1,
    /^unknown: the connection was lost after \d+ B, and the server does not know how the transfer ended$/,
  )
})

t.test('a token from the environment, and the server does not mind the variable', async (t) => {
  const { token, hash } = newToken()
  const tokens = [{ name: 'me', hash, project: 'one' }]
  const gateway = await startGateway(t, {}, { plugins: [plugin(authBearer, { tokens }), plugin(progress)] })
  const run = (env: Record<string, string>) =>
    new Program(t, ['watch', gateway.url('jobs'), '--last'], { env }).ends(PATIENCE_MS)
  const [without, wrong, right] = await Promise.all([
    run({}),
    run({ PIPEGATE_TOKEN: 'pg_wrong' }),
    run({ PIPEGATE_TOKEN: token }),
  ])
  isEnd(t, without, 2, /^pipegate: ./)
  isEnd(t, wrong, 2, /^pipegate: ./)
  t.notMatch(wrong.stderr, /pg_wrong/)
  isEnd(t, right, 1, /^unknown: /)
  const serve = await startProgram(t, [], { env: { PIPEGATE_TOKEN: token } })
  t.equal((await serve.endsAfter('SIGTERM')).code, 0)
})
