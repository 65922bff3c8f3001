/** Workers whose machine has lost its power or its network: nothing is heard of them. Run by queue-vanished.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type CurlRun, curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { RemoteMachine } from '../../../support/remote-machine.js'
import type { Teardown } from '../../../support/teardown.js'
import { amount } from '../../../support/thorough.js'
import { counts } from './rig.js'

const TIMEOUT_S = 3
const SOON = 12 * TIMEOUT_S * 1000
const RETURNED = '[INFO] The receiver left; waiting for another.\n'

t.jobs = 4

const isPossible = (await RemoteMachine.connect(t)) !== undefined
const means = isPossible ? {} : { skip: 'a machine of its own needs root, unshare, nsenter, and ip (Debian: iproute2)' }

async function rig(t: Teardown, tls: boolean, peerTimeout = TIMEOUT_S) {
  const machine = (await RemoteMachine.connect(t))!
  const gateway = await startGateway(t, { host: '0.0.0.0', hosts: '*', peerTimeout: `${peerTimeout}` }, { tls })
  const url = new URL(gateway.url('q?queue'))
  url.hostname = machine.here
  const there = () => machine.curl(['-kN', url.href])
  const here = () => curl(['-kN', gateway.url('q?queue')])
  const produce = (query: string, body: string, ...args: string[]) =>
    curl(['-kN', '-T', '-', ...args, gateway.url(`q?queue${query}`)], { input: body })
  return { machine, gateway, there, here, produce }
}

async function complete(producer: CurlRun): Promise<string> {
  const { code, stdout } = await producer.result
  return `${code} ${stdout.toString().trimEnd().split('\n').at(-1)}`
}

const returns = ({ lines }: Running) => lines.filter(({ msg }) => msg === 'transfer')

for (const tls of [false, true]) {
  const over = tls ? 'over TLS' : 'over plain TCP'

  for (const isChunked of [false, true]) {
    const framing = isChunked ? 'chunked' : 'announced'

    t.test(`${over}, ${framing}: take gives the job of a vanished worker to the next one`, { ...means }, async (t) => {
      const { machine, gateway, there, here, produce } = await rig(t, tls, 600)
      const lost = there()
      await counts(gateway, 0, 1)
      machine.unplug()
      const length = isChunked ? ['-H', 'Transfer-Encoding: chunked'] : ['--data-binary', '@-', '-X', 'PUT']
      const producer = isChunked
        ? produce('&take=1', 'the job', ...length)
        : curl(['-kN', '-X', 'PUT', '--data-binary', 'the job', gateway.url('q?queue&take=1')])
      await producer.waitFor(RETURNED, SOON)
      t.notMatch(producer.stdoutText, 'Transfer complete.')
      const next = here()
      t.equal((await next.result).stdout.toString(), 'the job')
      t.equal(await complete(producer), '0 [INFO] Transfer complete.')
      // For three seconds this machine asks where the other one is, and keeps the packets that it would send there.
      await sleep(5000)
      machine.replug()
      // What TCP repeated would have come by now.
      await sleep(4000)
      t.equal(lost.stdoutText, '', 'what was on its way does not arrive later')
      t.equal(returns(gateway).length, 1, 'one transfer')
      lost.kill()
    })
  }

  t.test(`${over}: without take the machine's silence is found out`, { ...means }, async (t) => {
    const { machine, gateway, there, here, produce } = await rig(t, tls)
    const lost = there()
    await counts(gateway, 0, 1)
    machine.unplug()
    const producer = produce('', 'x'.repeat(200_000))
    const next = here()
    t.equal((await next.result).stdout.length, 200_000)
    t.equal(await complete(producer), '0 [INFO] Transfer complete.')
    t.match(producer.stdoutText, RETURNED)
    lost.kill()
  })

  t.test(
    `${over}: a sender that dies while it waits again is noticed, and nothing of it is kept`,
    { ...means },
    async (t) => {
      const { machine, gateway, there } = await rig(t, tls, 600)
      const lost = there()
      await counts(gateway, 0, 1)
      machine.unplug()
      const body = Buffer.alloc(20 * 1024 * 1024)
      const producer = curl(['-kN', '-T', '-', gateway.url('q?queue&take=1')], { input: body })
      await producer.waitFor(RETURNED, SOON)
      const { slabs } = gateway.gateway
      t.ok(slabs.heldBytes > 0 && slabs.heldBytes <= 64 * 1024 + 448 * 1024 + 64 * 1024, `${slabs.heldBytes} are kept`)
      producer.kill()
      await eventually(() => gateway.gateway.table.get('q') === undefined || 'it waits', { timeoutMs: SOON })
      t.equal(slabs.heldBytes, 0)
      t.equal(await gateway.ended('q'), 'abandoned')
      lost.kill()
    },
  )

  t.test(`${over}: a machine that comes back in time gets its job, once`, { ...means }, async (t) => {
    const { machine, gateway, there, produce } = await rig(t, tls, 600)
    const worker = there()
    await counts(gateway, 0, 1)
    machine.unplug()
    const producer = produce('&take=60', 'the job')
    await producer.waitFor('Upload complete.')
    await sleep(700)
    t.notMatch(producer.stdoutText, 'Transfer complete.', 'it is on its way')
    machine.replug()
    t.equal((await worker.result).stdout.toString(), 'the job')
    t.equal(await complete(producer), '0 [INFO] Transfer complete.')
    t.notMatch(producer.stdoutText, RETURNED)
    t.equal(returns(gateway).length, 1)
  })
}

t.test('many at once: each job is done once, by one that lives', { ...means }, async (t) => {
  const { machine, gateway, there, here, produce } = await rig(t, false, 600)
  const [rounds, each] = [amount(2, 50), 20]
  for (let round = 0; round < rounds; round++) {
    const lost = Array.from({ length: each }, there)
    await counts(gateway, 0, each)
    machine.unplug()
    const jobs = Array.from({ length: each }, (_, i) => `job ${round} ${i}`)
    const producers = jobs.map((job) => produce('&take=1', job))
    await eventually(() => producers.every(({ stdoutText }) => stdoutText.includes(RETURNED)) || 'not all are back', {
      timeoutMs: SOON,
    })
    const done = await Promise.all(Array.from({ length: each }, async () => (await here().result).stdout.toString()))
    t.same(done.sort(), jobs.sort())
    for (const producer of producers) t.equal(await complete(producer), '0 [INFO] Transfer complete.')
    machine.replug()
    for (const worker of lost) {
      t.equal(worker.stdoutText, '')
      worker.kill()
    }
    await counts(gateway, 0, 0)
  }
  t.comment(`${rounds * each} jobs`)
})
