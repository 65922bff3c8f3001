/** examples/shop, with plain processes: shipping is down for a while, and ships everything in the end. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { eventually } from '../support/eventually.js'
import { startDefaultGateway } from '../support/gateway.js'
import { PROJECT, readProject } from '../support/project.js'
import { startPart, WITHIN } from './shop-part.js'

const SHOP = join(PROJECT, 'examples/shop')
/** One of its programs. */
function start(t: Test, origin: string, script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const own = { PATH: process.env.PATH, NO_PROXY: '*', GATEWAY: origin, ...env }
  return startPart(t, [join(SHOP, script), ...args], own)
}

t.test('shipping is down for a while', async (t) => {
  const { origin, gateway } = await startDefaultGateway(t)
  const inventory = start(t, origin, 'inventory.sh')
  const analytics = start(t, origin, 'analytics.sh')
  const shipping = start(t, origin, 'shipping.sh')
  await eventually(
    () =>
      (gateway.table.get('orders')?.receiversPresent === 2 && gateway.table.get('shipping') !== undefined) || 'nobody',
    WITHIN,
  )
  const first = start(t, origin, 'order.sh', ['cup 1'])
  t.equal(await first.ends, 0, first.running.text)
  t.match(first.running.text, 'Delivered to 2 subscriber(s)')
  await shipping.says('on its way: cup 1\n')
  await shipping.stop()
  await eventually(() => gateway.table.get('shipping') === undefined || 'shipping is still there', WITHIN)

  const waiting: ReturnType<typeof start>[] = []
  for (let i = 2; i <= 5; i++) {
    waiting.push(start(t, origin, 'order.sh', [`cup ${i}`]))
    await inventory.says(`from the shelf: cup ${i}\n`)
    await analytics.says(`order ${i} since I listen: cup ${i}\n`)
    await eventually(() => gateway.table.get('shipping')?.queue?.senders === i - 1 || 'it does not wait', WITHIN)
  }
  for (const { running } of waiting) t.notOk(running.ended, 'it waits to be shipped')

  const again = start(t, origin, 'shipping.sh')
  for (const each of waiting) t.equal(await each.ends, 0, each.running.text)
  await again.says('on its way: cup 5\n')
  const shipped = [...again.running.text.matchAll(/on its way: (cup \d)/g)].map(([, cup]) => cup)
  t.same(shipped, ['cup 2', 'cup 3', 'cup 4', 'cup 5'], 'each once, in order')
})

t.test('an order that nobody ships is still the shop’s', async (t) => {
  const { origin } = await startDefaultGateway(t)
  const order = start(t, origin, 'order.sh', ['cup'], { PATIENCE: '1' })
  t.equal(await order.ends, 1)
  t.match(order.running.text, 'Delivered to 0 subscriber(s)')
  t.match(order.running.text, 'order "cup": NOT taken by shipping')
})

t.test('compose.yaml runs the same scripts', async (t) => {
  const { services } = parse(readProject('examples/shop/compose.yaml'), { merge: true })
  t.same(Object.keys(services).sort(), ['analytics', 'gateway', 'inventory', 'order', 'shipping'])
  for (const name of ['inventory', 'analytics', 'shipping', 'order'] as const) {
    const { command, entrypoint = command, environment, volumes } = services[name]
    const [, script] = entrypoint
    t.equal(script, `/shop/${name}.sh`)
    t.same(volumes, ['.:/shop:ro'])
    t.equal(environment.GATEWAY, `http://${services.gateway.environment.PIPEGATE_HOSTS}:8080`)
  }
})
