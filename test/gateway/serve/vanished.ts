/** Clients whose machine has lost its power or its network: no FIN and no RST comes of them. Run by vanished.test.ts. */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type CurlRun, curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { RemoteMachine } from '../../support/remote-machine.js'
import type { Teardown } from '../../support/teardown.js'

const TIMEOUT_S = 3
/** Without a time-out the kernel takes a quarter of an hour. */
const SOON = { timeoutMs: 12 * TIMEOUT_S * 1000 }
const PIECE = Buffer.alloc(1024 * 1024, 'x')
/** More than the kernels on both sides keep for a receiver that does not read. */
const PIECES = 24

t.jobs = 6

const isPossible = (await RemoteMachine.connect(t)) !== undefined
const means = isPossible ? {} : { skip: 'a machine of its own needs root, unshare, nsenter, and ip (Debian: iproute2)' }

/** A gateway, and a machine that reaches it by its own cable. */
async function rig(t: Teardown, tls: boolean) {
  const machine = (await RemoteMachine.connect(t))!
  const gateway = await startGateway(
    t,
    { host: '0.0.0.0', hosts: '*', peerTimeout: `${TIMEOUT_S}`, wait: '600' },
    { tls },
  )
  const url = new URL(gateway.url('x'))
  url.hostname = machine.here
  const there = (args: readonly string[]) => machine.curl(['-kN', ...args, url.href])
  const here = (args: readonly string[]) => curl(['-kN', ...args, gateway.url('x')])
  return { machine, gateway, there, here }
}

/** The lines of requests that ended so. */
function outcomes({ lines }: Running): unknown[] {
  return lines.filter(({ msg }) => msg === 'request').map(({ outcome }) => outcome)
}

/** Waits for the end of the transfer, whenever that is. */
async function reasonOf({ lines }: Running): Promise<unknown> {
  const ended = () => lines.find(({ msg }) => msg === 'transfer')
  const from = performance.now()
  await eventually(() => ended() !== undefined || 'the transfer goes on', SOON)
  t.comment(`found after ${((performance.now() - from) / 1000).toFixed(1)} s, with a limit of ${TIMEOUT_S} s`)
  return ended()?.reason
}

async function told(sender: CurlRun): Promise<void> {
  await sender.waitFor('[ERROR] All receivers disconnected before transfer completed.')
  sender.stdin.end()
  await sender.result
}

for (const tls of [false, true]) {
  const over = tls ? 'over TLS' : 'over plain TCP'

  t.test(`${over}: a receiver vanishes with bytes on their way to it`, { ...means }, async (t) => {
    const { machine, gateway, there, here } = await rig(t, tls)
    const [receiver, sender] = [there([]), here(['-T', '.'])]
    sender.stdin.write('one ')
    await receiver.waitFor('one ')
    machine.vanish()
    sender.stdin.write('two ')
    t.equal(await reasonOf(gateway), 'receivers_left')
    await told(sender)
    t.ok(outcomes(gateway).includes('vanished'))
  })

  t.test(`${over}: a receiver vanishes while nothing is sent`, { ...means }, async (t) => {
    const { machine, gateway, there, here } = await rig(t, tls)
    const [receiver, sender] = [there([]), here(['-T', '.'])]
    sender.stdin.write('one ')
    await receiver.waitFor('one ')
    machine.vanish()
    t.equal(await reasonOf(gateway), 'receivers_left')
    await told(sender)
    t.ok(outcomes(gateway).includes('vanished'))
  })

  t.test(`${over}: a receiver vanishes that has not been reading`, { ...means }, async (t) => {
    const { machine, gateway, there, here } = await rig(t, tls)
    const [receiver, sender] = [there([]), here(['-T', '.'])]
    sender.stdin.write('one ')
    await receiver.waitFor('one ')
    receiver.kill('SIGSTOP')
    for (let i = 0; i < PIECES; i++) sender.stdin.write(PIECE)
    await sleep(2 * TIMEOUT_S * 1000)
    t.same(outcomes(gateway), [], 'as long as its machine answers, it is there')
    machine.vanish()
    t.equal(await reasonOf(gateway), 'receivers_left')
    receiver.kill('SIGKILL')
  })

  t.test(`${over}: a sender vanishes in the middle of its stream`, { ...means }, async (t) => {
    const { machine, gateway, there, here } = await rig(t, tls)
    const [receiver, sender] = [here([]), there(['-T', '.'])]
    sender.stdin.write('one ')
    await receiver.waitFor('one ')
    machine.vanish()
    t.equal(await reasonOf(gateway), 'sender_left')
    t.equal((await receiver.result).code, 18, 'the receiver is told')
  })

  t.test(`${over}: whoever waits and vanishes gives up its place`, { ...means }, async (t) => {
    const { machine, gateway, there } = await rig(t, tls)
    for (const args of [[], ['-T', '.']]) {
      there(args)
      await gateway.holds(1, 0)
      machine.vanish()
      await eventually(() => gateway.gateway.table.waiting === 0 || 'it waits', SOON)
      machine.comeBack()
    }
    t.same(outcomes(gateway), ['vanished', 'vanished'])
  })

  t.test(`${over}: whoever lives is not cut, whether it reads or is silent`, { ...means }, async (t) => {
    const { gateway, there, here } = await rig(t, tls)
    const [receiver, sender] = [there([]), here(['-T', '.'])]
    sender.stdin.write('one ')
    await receiver.waitFor('one ')
    // Nothing is sent.
    await sleep(4 * TIMEOUT_S * 1000)
    t.same(outcomes(gateway), [])
    receiver.kill('SIGSTOP')
    for (let i = 0; i < PIECES; i++) sender.stdin.write(PIECE)
    sender.stdin.end()
    // There is no room.
    await sleep(6 * TIMEOUT_S * 1000)
    t.same(outcomes(gateway), [])
    receiver.kill('SIGCONT')
    t.equal((await receiver.result).stdout.length, 4 + PIECES * PIECE.length)
    t.equal((await sender.result).code, 0)
  })
}
