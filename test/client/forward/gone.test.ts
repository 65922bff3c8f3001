/** Who is gone: one side, or the gateway; and who comes back. */

import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { Program, startProgram } from '../../support/program.js'
import { isWholeOrCut, started } from './known-streams.js'
import { client, Peer, startPair, startService } from './rig.js'

t.setTimeout(120_000)

for (const victim of ['listener', 'connector'] as const) {
  t.test(`a ${victim} that is killed: what it carried is cut at the far end`, async (t) => {
    const gateway = await startProgram(t)
    const server = new URL(gateway.base).origin
    const { pair, begin } = await started(t, server, 'x')
    const both = await begin()
    await eventually(() => both.near.bytes > 100_000 || 'nothing has come')
    // One that is idle when it happens.
    const idle = await idleOne(t, server)
    pair[victim].child.kill('SIGKILL')
    idle.pair[victim].child.kill('SIGKILL')
    const survivor = victim === 'listener' ? both.far : both.near
    await survivor.ended
    isWholeOrCut(t, both, victim)
    t.equal(await idle[victim === 'listener' ? 'far' : 'near'].ended, 'cut')
    const other = victim === 'listener' ? pair.connector : pair.listener
    t.type((await other.tells('parted')).why, 'string')
  })
}

async function idleOne(t: Test, server: string) {
  let far: Peer | undefined
  const target = await startService(t, (socket) => {
    far = new Peer(socket)
  })
  const pair = await startPair(t, { server, target: `${target}`, name: 'idle' })
  const near = client(t, pair.port)
  near.socket.write('x')
  await eventually(() => far?.bytes === 1 || 'it has not come')
  return { pair, near, far: far! }
}

t.test('an interrupted forward resets what it carries, and says goodbye', async (t) => {
  const gateway = await startProgram(t)
  const { pair, near, far } = await idleOne(t, new URL(gateway.base).origin)
  pair.listener.child.kill('SIGINT')
  const { signal } = await pair.listener.ends()
  t.equal(signal, 'SIGINT')
  t.same(await Promise.all([near.ended, far.ended]), ['cut', 'cut'])
  t.match(await pair.connector.tells('parted'), { why: undefined })
})

t.test('a gateway that is restarted: connections are cut, and new ones work again by themselves', async (t) => {
  const port = await freePort()
  const serve = async () => {
    const program = new Program(t, ['serve', '--port', `${port}`], {})
    await program.waitForLog('listening', 1, 30_000)
    return program
  }
  const first = await serve()
  const server = `http://127.0.0.1:${port}`
  const { pair, begin } = await started(t, server, 'x')
  const { near, far } = await idleOne(t, server)
  await first.endsAfter('SIGKILL')
  t.same(await Promise.all([near.ended, far.ended]), ['cut', 'cut'])
  await pair.listener.tells('trouble')
  // It is waited for, as far as a program is patient.
  await serve()
  await pair.listener.tells('met', 2)
  await pair.connector.tells('met', 2)
  const both = await begin()
  t.same(await Promise.all([both.near.ended, both.far.ended]), ['end', 'end'])
  isWholeOrCut(t, both, 'afterwards')
})
