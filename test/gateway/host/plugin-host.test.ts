/** The plugin host from start to stop, and what it gives to plugins. */

import t from 'tap'
import { RequestContext } from '../../../gateway/host/request-context.js'
import { Throttles } from '../../../gateway/host/throttles.js'
import { curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { careless, start, status, stillWorks } from './careless.js'
import { hostOf } from './host.js'

t.test('a plugin that never stops is left behind, with a line in the log', async (t) => {
  const told: string[] = []
  const hanging = careless((host) => ({
    start: () => host.every(5, async () => Promise.reject(new Error('now and then'))),
    drain: async () => Promise.reject(new Error('no drain')),
    stop: () => new Promise(() => {}),
  }))
  const other = careless(() => ({ stop: () => void told.push('stopped') })).plugin
  const { host, lines } = hostOf([{ plugin: { ...other, name: 'first' } }, hanging])
  await host.start(new AbortController().signal)
  await eventually(() => lines.some((line) => line.includes('now and then')) || 'what rejects is not logged')
  host.drain(0)
  await host.stop()
  t.same(told, ['stopped'])
  t.match(lines.at(-1), /"plugin":"careless".*it took longer than 0.05 s.*a plugin failed to stop/)
  t.ok(lines.some((line) => line.includes('no drain')))
})

t.test('a plugin that never starts stops the start, and is stopped', async (t) => {
  const told: string[] = []
  const { host } = hostOf([
    careless(() => ({ start: () => new Promise(() => {}), stop: () => void told.push('stop') })),
  ])
  const control = new AbortController()
  const started = host.start(control.signal)
  control.abort()
  await t.rejects(started, { message: 'plugin careless could not start: it took too long' })
  t.same(told, ['stop'])
})

t.test('a speed of 0 is refused, and a throttle has a timer only while a transfer waits', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  const throttles = new Throttles(() => performance.now())
  for (const none of [0, -1, Number.NaN]) t.throws(() => throttles.create(none), RangeError)
  const throttle = throttles.create(1000)
  for (let round = 0; round < 2; round++) {
    let gone = false
    throttle.spend(150)
    const before = timers()
    throttle.wait({
      unthrottled() {
        gone = true
      },
    })
    t.equal(timers(), before + 1)
    while (!gone) await new Promise(setImmediate)
    t.ok(timers() <= before)
  }
})

t.test('the strictest limit that any admission hook sets on a side holds', async (t) => {
  const context = new RequestContext(
    { id: 1, clientAddress: '', clientCertificate: undefined, headersAlways: [] },
    () => {},
  )
  for (const value of [7, 5, 9]) context.tighten('maxBytes', value)
  context.tighten('totalMs', 3)
  t.same(context.limits, { maxBytes: 5, totalMs: 3 })
})

t.test('a decision leaves no timer, and releases run in reverse order', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  const { host, log } = hostOf([careless(() => ({ hooks: { onAdmitAsync: async () => {} } }))])
  const context = new RequestContext(
    { id: 1, clientAddress: '', clientCertificate: undefined, headersAlways: [] },
    (err) => log.error({ err }),
  )
  const order: number[] = []
  for (const i of [1, 2, 3]) context.onOver(() => void order.push(i))
  const before = timers()
  t.equal(await host.admission.admitAsync({} as never, context), undefined)
  t.ok(timers() <= before)
  context.end()
  context.end()
  t.same(order, [3, 2, 1])
})

t.test('plugins hear of what the shutdown ends before they stop', async (t) => {
  const told: string[] = []
  let held = false
  const gateway = await start(t, () => ({
    hooks: {
      onAdmitAsync() {
        held = true
        return new Promise(() => {})
      },
      onRequestEnded: (record) => void told.push(record.outcome),
    },
    stop: () => void told.push('stop'),
  }))
  const client = await connect({ port: gateway.port })
  await client.send('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => held || 'it is not held')
  await gateway.gateway.stop(0)
  t.same(told, ['aborted', 'stop'])
  await client.waitForClose()
})

t.test('end() ends the pipe that has the name now, and not the next one', async (t) => {
  const row = { status: 409, message: 'the operator wants it.', hint: '' }
  let end: () => void = () => {}
  const gateway = await start(t, (host) => {
    end = () => host.end('x', row)
    return {}
  })
  const { table } = gateway.gateway
  const sink = {
    begin() {},
    write: () => 0,
    isFull: false,
    postpone() {},
    queued: () => 0,
    isHere: () => true,
    hasArrived: () => true,
    finish: () => true,
    refuse() {},
    abort() {},
  }
  const join = () => table.joinReceiver('x', sink, { receivers: 1, waitMs: 60_000 })
  const turn = () => new Promise(setImmediate)
  join()
  end()
  t.equal(table.waiting, 1, 'behind the callback that is running')
  table.stop('x', { ...row, code: 'TEST' })
  join()
  await turn()
  t.equal(table.waiting, 1)
  end()
  await turn()
  t.equal(table.waiting, 0)
  end()
  join()
  await turn()
  t.equal(table.waiting, 1, 'nobody stood there')
  table.stop('x', { ...row, code: 'TEST' })
})

t.test('a refusal by a mode or a route is attributed to its plugin', async (t) => {
  const heard: string[] = []
  const gateway = await start(t, (host) => ({
    hooks: { onRefused: (failure, by) => void heard.push(`${failure.code} by ${by}`) },
    modes: [{ param: 'own', handle: (_request, reply) => void reply.give(host.refuse('no')) }],
  }))
  t.equal((await curlDone(status(gateway.url('x?own')))).stdout.toString(), '403 CARELESS_NO')
  t.equal((await curlDone(status(gateway.url('x?n=0')))).stdout.toString(), '400 BAD_PARAMETER')
  t.same(heard, ['CARELESS_NO by careless', 'BAD_PARAMETER by gateway'])
})

t.test('a mode whose right() fails is closed', async (t) => {
  const fail = () => {
    throw new Error('a defect')
  }
  const gateway = await start(t, () => ({ modes: [{ param: 'own', right: fail, handle: fail }] }))
  t.equal((await curlDone(status(gateway.url('x?own')))).stdout.toString(), '500 PLUGIN_FAULT')
})

t.test('a dozen asynchronous admission hooks cause no warning', async (t) => {
  const warnings: string[] = []
  const heard = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', heard)
  t.teardown(() => process.off('warning', heard))
  const plugins = Array.from({ length: 12 }, (_, i) => {
    const { plugin } = careless(() => ({ start() {}, hooks: { onAdmitAsync: async () => {} } }))
    return { plugin: { ...plugin, name: `gate-${i}` } }
  })
  const gateway = await startGateway(t, {}, { plugins })
  await stillWorks(t, gateway)
  t.same(warnings, [])
})
