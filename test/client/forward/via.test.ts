/** `--via`: one way, or none. */

import t from 'tap'
import { startProgram } from '../../support/program.js'
import { client, Forward, startPair, startPipingServer, startService } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin

t.test('--via duplex and pipes: that one, or none', async (t) => {
  const target = await startService(t, (socket) => socket.pipe(socket))
  const { port, listener } = await startPair(t, { server, target: `${target}`, name: 'p', flags: ['--via', 'pipes'] })
  const near = client(t, port)
  near.socket.end('word')
  t.equal(await near.ended, 'end')
  t.match(listener.news('opened')[0], { way: 'pipes' })
  const both = await startPair(t, { server, target: `${target}`, name: 'd', flags: ['--via', 'duplex'] })
  t.match(both.listener.news('way')[0], { way: 'duplex' })

  const piping = await startPipingServer(t)
  const wanting = new Forward(t, ['--via', 'duplex', '--listen', '0', 'x'], { server: piping })
  new Forward(t, ['--connect', `${target}`, 'x'], { server: piping })
  const { code, text } = await wanting.ends()
  t.equal(code, 1, text)
  t.match(text, /--via duplex: /)
  const here = new Forward(t, ['--via', 'duplex', '--listen', '0', 'y'], { server })
  new Forward(t, ['--via', 'pipes', '--connect', `${target}`, 'y'], { server })
  t.match((await here.ends()).text, /--via duplex: the other side does not take it/)
})
