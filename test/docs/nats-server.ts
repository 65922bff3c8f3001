import { spawn } from 'node:child_process'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { connect } from '../support/raw.js'

/** Starts a real NATS on a free port of 127.0.0.1, which ends with the test. */
export async function natsPort(t: Test): Promise<number> {
  const port = await freePort()
  const args = ['--pdeathsig', 'KILL', 'nats-server', '-a', '127.0.0.1', '-p', `${port}`]
  const server = spawn('setpriv', args, { stdio: 'ignore', env: { PATH: `${process.env.PATH}:/usr/sbin` } })
  const ended = new Promise((resolve) => server.once('close', resolve))
  t.teardown(async () => {
    server.kill('SIGKILL')
    await ended
  })
  await eventually(() =>
    connect({ port }).then(
      (socket) => {
        socket.destroy()
        return true
      },
      (error) => `${error}`,
    ),
  )
  return port
}
