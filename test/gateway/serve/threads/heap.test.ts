/** A thread whose heap fills up ends, and is started again; what happens when it fills up at once is in docs/operating.md. */
import t, { type Test } from 'tap'
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { TEST_HOSTS } from '../../../support/hosts.js'
import { MAIN, Program } from '../../../support/program.js'
import { client, descriptors, namesOf, request, withPlugin } from './rig.js'

t.jobs = 2

/** Keeps more and more once it is asked to: a little in each turn of a timer, or all there is in one go. */
const LEAKS = `{
  hooks: {
    onRequest(request) {
      const kept = (globalThis.kept ??= [])
      const keep = () => kept.push(new Array(40_000).fill(kept.length).map((each) => each + 0.5))
      if (request.path.endsWith('/drips')) setInterval(keep, 20)
      if (request.path.endsWith('/pours')) setImmediate(() => { for (;;) keep() })
    },
  },
}`

async function start(t: Test, port = 0): Promise<Program> {
  const command = [process.execPath, '--max-old-space-size=96', MAIN] as const
  const args = ['serve', '--port', `${port}`, '--threads', '2', '--hosts', TEST_HOSTS, ...withPlugin(t, LEAKS)]
  const program = new Program(t, args, { command })
  await program.waitForLog('listening')
  return program
}

t.test('one that fills up slowly takes its own transfers with it, and no others', async (t) => {
  const program = await start(t)
  const [mine, other] = [namesOf(0, 2, 1)[0]!, namesOf(1, 2, 1)[0]!]
  const begin = async (name: string) => {
    const receiver = curl(['-N', program.url(name)])
    const sender = curl(['-N', '-T', '.', program.url(name)])
    sender.stdin.write('first ')
    await receiver.waitFor('first')
    return { receiver, sender }
  }
  const [doomed, healthy] = [await begin(mine), await begin(other)]
  const before = descriptors(program)
  curl([program.url(namesOf(0, 2, 1, 'x', '/drips')[0]!)])
  const said = await program.waitForLog('a thread has met a defect, and ends what it has')
  t.match(said, { thread: 0, err: /its heap is nearly full: \d+ of \d+ MiB/ })
  t.not((await doomed.receiver.result).code, 0, 'its receiver sees that something is missing')
  await eventually(() => /\[ERROR\]/.test(doomed.sender.stdoutText) || doomed.sender.stdoutText)
  doomed.sender.stdin.end()
  await program.waitForLog('a thread has been started again')
  healthy.sender.stdin.end('last')
  t.equal((await healthy.receiver.result).stdout.toString(), 'first last')
  const again = await begin(mine)
  again.sender.stdin.end('last')
  t.equal((await again.receiver.result).stdout.toString(), 'first last')
  await eventually(() => descriptors(program) <= before || `${descriptors(program)} descriptors, ${before} before`)
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})

t.test('one that fills up at once ends the process, everybody sees it, and the port is free', async (t) => {
  const program = await start(t)
  const { port } = program
  const receiver = curl(['-N', program.url('r')])
  const sender = curl(['-N', '-T', '.', program.url('r')])
  sender.stdin.write('first')
  await receiver.waitFor('first')
  await (await client(program)).send(request('GET', '/pours'))
  const { code, signal } = await program.ends(60_000)
  t.ok(signal === 'SIGABRT' || code === 134, `${code}, ${signal}`)
  t.not((await receiver.result).code, 0)
  sender.stdin.end()
  t.notMatch((await sender.result).stdout.toString(), 'Transfer complete')
  const next = await start(t, port)
  t.equal(next.port, port)
})
