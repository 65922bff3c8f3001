/** The same of workers that get many jobs in one response. Run by queue-lines-vanished.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type CurlRun, curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { Exposition } from '../../../support/exposition.js'
import { defaultPlugins, startGateway } from '../../../support/gateway.js'
import { RemoteMachine } from '../../../support/remote-machine.js'
import type { Teardown } from '../../../support/teardown.js'
import { numbers } from './lines-rig.js'
import { countsOf } from './rig.js'

const TIMEOUT_S = 3
const SOON = { timeoutMs: 12 * TIMEOUT_S * 1000 }
const JOBS = 20
/** Takes some seconds at the speed at which they are sent. */
const MANY = 4000

t.jobs = 4

const isPossible = (await RemoteMachine.connect(t)) !== undefined
const means = isPossible ? {} : { skip: 'a machine of its own needs root, unshare, nsenter, and ip (Debian: iproute2)' }

async function rig(t: Teardown, tls: boolean, peerTimeout: number) {
  const machine = (await RemoteMachine.connect(t))!
  const plugins = await defaultPlugins()
  const gateway = await startGateway(
    t,
    { host: '0.0.0.0', hosts: '*', peerTimeout: `${peerTimeout}` },
    { tls, plugins },
  )
  const url = `${gateway.origin}/q?queue&lines`
  const workers = (count: number) =>
    eventually(() => (countsOf(gateway)?.workers ?? 0) === count || JSON.stringify(countsOf(gateway)), SOON)
  return {
    machine,
    gateway,
    workers,
    returns: async () => {
      const { stdout } = await curlDone(['-k', gateway.url('metrics')])
      return new Exposition(stdout.toString()).value('pipegate_queue_returns_total')
    },
    there: () => machine.curl(['-skN', url.replace('127.0.0.1', machine.here)]),
    here: () => curl(['-skN', url]),
    pours: (jobs: string, query = '', ...args: string[]) =>
      curl(['-skN', '-T', '-', ...args, url + query], { input: jobs }),
  }
}

const linesOf = ({ stdoutText }: CurlRun) => stdoutText.split('\n').slice(0, -1)
const wanted = (count: number, name: string) => numbers(count, name).split('\n').slice(0, -1)

/** Its lines, once there are that many. Their machine has them before its curl has printed them. */
async function printed(worker: CurlRun, count: number): Promise<string[]> {
  await eventually(() => linesOf(worker).length >= count || `${linesOf(worker).length} jobs`)
  return linesOf(worker)
}

async function told(upload: CurlRun): Promise<string> {
  const { code, stdout } = await upload.result
  return `${code} ${stdout.toString()}`
}

for (const tls of [false, true]) {
  const over = tls ? 'over TLS' : 'over plain TCP'

  for (const before of [0, 3]) {
    t.test(
      `${over}: take gives the jobs of a worker that has vanished after ${before} to the next one`,
      { ...means },
      async (t) => {
        const { machine, workers, returns, there, here, pours } = await rig(t, tls, 600)
        const lost = there()
        await workers(1)
        if (before > 0) t.equal(await told(pours(numbers(before, 'early'))), `0 [INFO] Delivered ${before} job(s).\n`)
        machine.unplug()
        const upload = pours(numbers(JOBS, 'job'), '&take=1')
        await workers(0)
        t.equal(await returns(), JOBS, 'each has been given back once, and nothing to the worker that was being cut')
        const next = here()
        t.equal(await told(upload), `0 [INFO] Delivered ${JOBS} job(s).\n`)
        t.same(await printed(next, JOBS), wanted(JOBS, 'job'), 'all of them, and in their order')
        // For three seconds this machine asks where the other one is, and keeps the packets that it would send there.
        await sleep(5000)
        machine.replug()
        // What TCP repeated would have come by now.
        await sleep(4000)
        t.same(linesOf(lost), wanted(before, 'early'), 'what was on its way does not arrive later')
        for (const each of [lost, next]) each.kill()
      },
    )
  }

  t.test(`${over}: without take the machine's silence is found out, and the jobs go on`, { ...means }, async (t) => {
    const { machine, workers, there, here, pours } = await rig(t, tls, TIMEOUT_S)
    const lost = there()
    await workers(1)
    machine.unplug()
    const upload = pours(numbers(JOBS, 'job'))
    await workers(0)
    const next = here()
    t.equal(await told(upload), `0 [INFO] Delivered ${JOBS} job(s).\n`)
    t.same(await printed(next, JOBS), wanted(JOBS, 'job'))
    for (const each of [lost, next]) each.kill()
  })

  t.test(`${over}: a machine that comes back in time gets its jobs, each once`, { ...means }, async (t) => {
    const { machine, workers, there, pours } = await rig(t, tls, 600)
    const worker = there()
    await workers(1)
    machine.unplug()
    const upload = pours(numbers(JOBS, 'job'), '&take=60')
    await sleep(700)
    t.equal(upload.stdoutText, '', 'they are on their way')
    machine.replug()
    t.equal(await told(upload), `0 [INFO] Delivered ${JOBS} job(s).\n`)
    t.same(await printed(worker, JOBS), wanted(JOBS, 'job'))
    worker.kill()
  })

  t.test(
    `${over}: a machine that vanishes in the middle: each job once, and what is lost is told`,
    { ...means },
    async (t) => {
      const { machine, gateway, workers, there, here, pours } = await rig(t, tls, TIMEOUT_S)
      const lost = there()
      await workers(1)
      const upload = pours(numbers(MANY, 'job', 2000), '', '--limit-rate', '2M')
      await lost.waitFor('job 30 ')
      machine.unplug()
      await workers(0)
      const next = here()
      const text = await told(upload)
      const [, done, gone] =
        /^0 \[[A-Z]+\] (?:Delivered )?(\d+) job\(s\)(?: were delivered, and (\d+) lost: .*)?\.\n$/.exec(text) ?? []
      t.equal(Number(done) + Number(gone ?? 0), MANY, text)
      machine.replug()
      await sleep(4000)
      const [early, rest] = [linesOf(lost), linesOf(next)]
      t.equal(new Set([...early, ...rest]).size, early.length + rest.length, 'none twice')
      t.ok(rest.length > 0 && rest.length <= Number(done), `${rest.length} for the other one`)
      t.equal(gateway.gateway.slabs.heldBytes, 0)
      next.kill()
    },
  )
}
