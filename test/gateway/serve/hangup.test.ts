/** SIGHUP: from somebody who asks to read files again, and from a terminal that is closed. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { MAIN, ownEnvironment, startProgram } from '../../support/program.js'

t.test('without certificates it goes on, and says that nothing is read again', async (t) => {
  const program = await startProgram(t, [])
  const receiver = curl(['-N', program.url('x')])
  const sender = curl(['-N', '-T', '.', program.url('x')])
  sender.stdin.write('one ')
  await receiver.waitFor('one ')
  for (const count of [1, 2]) {
    program.kill('SIGHUP')
    const says = 'nothing is read again: there are no certificates, and settings are read at the start'
    await program.waitForLog(says, count)
  }
  sender.stdin.end('two')
  t.equal((await receiver.result).stdout.toString(), 'one two')
  t.equal((await sender.result).code, 0)
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})

t.test('when its terminal is closed it stops as at SIGTERM', async (t) => {
  const file = join(t.testdir({ log: '' }), 'log')
  const serve = `exec '${process.execPath}' '${MAIN}' serve --port 0 --log-format json > '${file}'`
  // util-linux's `script` gives it a pseudo-terminal, which ends with it.
  const terminal = spawn('script', ['-qefc', serve, '/dev/null'], {
    env: ownEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  t.teardown(() => void terminal.kill('SIGKILL'))
  const logged = (msg: string) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .find((line) => line.includes(`"msg":"${msg}"`))
  await eventually(() => logged('listening') !== undefined || 'it does not listen')
  const url = new URL((JSON.parse(logged('listening')!) as { url: string }).url)
  t.equal((await curlDone([new URL('health', url).href])).code, 0)
  terminal.kill('SIGKILL')
  await eventually(() => logged('stopped') !== undefined || readFileSync(file, 'utf8'))
  t.match(JSON.parse(logged('draining')!), { signal: 'SIGHUP' })
  await eventually(() => refuses(Number(url.port)))
})

function refuses(port: number): Promise<true | string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve('it still listens')
    })
    socket.once('error', () => resolve(true))
  })
}
