/** Requests that become WebSockets when the answer of an upstream has come: the memory of such a one is at times that of the request. */
import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { App, LIBUS_LISTEN_EXCLUSIVE_PORT, us_socket_local_port } from '../../../gateway/uws/module.js'
import { amount } from '../../support/thorough.js'
import { startProxy } from '../../support/upstream.js'
import { startService } from './websockets.js'

const ROUNDS = amount(100, 1000)
const AT_ONCE = 10

interface Upgrading {
  cork(run: () => void): unknown
  upgrade(...args: unknown[]): unknown
}

/** What all responses of this process have in common. */
async function prototype(): Promise<Upgrading> {
  const app = App()
  const found = new Promise<Upgrading>((resolve) => {
    app.any('/*', (res) => {
      resolve(Object.getPrototypeOf(res))
      res.end()
    })
  })
  const port = await new Promise<number>((resolve) => {
    app.listen('127.0.0.1', 0, LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket !== false) resolve(us_socket_local_port(socket))
    })
  })
  await fetch(`http://127.0.0.1:${port}/`)
  app.close()
  return found
}

t.test('none is in a cork of ours when it becomes one, and none is closed by anybody else', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ prefix: '/app', upstreams: [service.url] }])
  // uWebSockets 20.57 looks at the end of a cork at what it takes for a response still, and closes about one of a thousand.
  const responses = await prototype()
  const { cork, upgrade } = responses
  let depth = 0
  const depths = new Set<number>()
  responses.cork = function (this: unknown, run) {
    depth++
    try {
      return cork.call(this as Upgrading, run)
    } finally {
      depth--
    }
  }
  responses.upgrade = function (this: unknown, ...args) {
    depths.add(depth)
    return upgrade.apply(this as Upgrading, args)
  }
  t.teardown(() => Object.assign(responses, { cork, upgrade }))

  const cuts: string[] = []
  const use = async (number: number) => {
    const socket = new WebSocket(`${gw.origin.replace('http', 'ws')}/app/${'x'.repeat(number % 200)}`, {
      perMessageDeflate: false,
      headers: { 'X-Long': 'x'.repeat((number * 37) % 3000) },
    })
    socket.on('error', () => {})
    const ended = once(socket, 'close').then(([code]) => `${number}: ${code}`)
    const isOpen = await Promise.race([once(socket, 'open').then(() => true), ended.then(() => false)])
    if (isOpen) {
      const answered = once(socket, 'pong').then(() => true)
      socket.ping()
      if ((await Promise.race([answered, ended])) === true) socket.close(1000)
    }
    const end = await ended
    if (end !== `${number}: 1000`) cuts.push(end)
  }
  for (let round = 0; round < ROUNDS; round++)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => use(round * AT_ONCE + i)))
  t.same(cuts, [], `${ROUNDS * AT_ONCE} WebSockets`)
  t.same([...depths], [0])
})
