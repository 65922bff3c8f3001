/** Endings by a time limit: nobody comes, nothing moves, or too slowly. */

import { randomBytes } from 'node:crypto'
import { curl } from '../../../support/curl.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { endsBadly, FRAMINGS, MIB, openFrozenReceiver, openSender, part, pour, reasonOf, sendPart } from './rig.js'

part('nobody comes: the sender reads it, its curl fails, and its receivers keep waiting', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl([`${gateway.origin}/lonely?n=2&wait=60`])
  await gateway.holds(1, 0)
  const sender = curl(['-T', '-', `${gateway.origin}/lonely?n=2&wait=1`], { input: Buffer.alloc(8 * MIB) })
  const { code, stdout } = await sender.result
  t.not(code, 0, `curl exits non-zero (${code})`)
  t.match(stdout.toString(), /\n\[ERROR\] Timed out waiting for receivers\.\n$/)
  await gateway.holds(1, 0)
  const others = [
    curl([`${gateway.origin}/lonely?n=2`]),
    curl(['-T', '-', `${gateway.origin}/lonely?n=2`], { input: 'the next one' }),
  ]
  t.equal((await receiver.result).stdout.toString(), 'the next one')
  for (const run of others) t.equal((await run.result).code, 0)
  const alone = curl(['-T', '-', `${gateway.origin}/alone?wait=1`], { input: 'x' })
  const result = await alone.result
  // 18: the end is missing. 56: reset, because the last few bytes of the body were not read.
  t.ok([18, 56].includes(result.code ?? 0), `curl exits non-zero: ${result.code} ${result.stderr}`)
  t.equal(await reasonOf(gateway, 'alone'), 'no_receivers')
})

part('?reply=end tells the outcome by its status', async (t) => {
  const gateway = await startGateway(t, { idle: '1' })
  const status = async (target: string, more: () => Promise<unknown> = async () => {}) => {
    const args = ['-o', '/dev/null', '-w', '%{http_code}', '-T', '-', `${gateway.origin}/${target}`]
    const sender = curl(args, { input: Buffer.alloc(32 * MIB) })
    await more()
    return (await sender.result).stdout.toString()
  }
  t.equal(await status('nobody?reply=end&wait=1'), '408')
  const leaves = await openFrozenReceiver(gateway, 'left')
  t.equal(await status('left?reply=end', async () => gateway.holds(0, 1).then(() => leaves.reset())), '502')
  const frozen = await openFrozenReceiver(gateway, 'frozen')
  t.equal(await status('frozen?reply=end'), '504')
  frozen.destroy()
  t.equal(
    await status('late?reply=end', async () => gateway.holds(1, 0).then(() => void gateway.gateway.stop(0))),
    '503',
  )
})

part('no sender comes: the receiver gets a 408', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl(['-i', `${gateway.origin}/empty?wait=1`])
  t.match(
    (await receiver.result).stdout.toString(),
    /^HTTP\/1.1 408 [\s\S]*\n\[ERROR\] Timed out waiting for sender\.\n$/,
  )
  t.equal(await reasonOf(gateway, 'empty'), 'no_sender')
  const sender = curl(['-T', '-', `${gateway.origin}/half?n=2`], { input: 'x' })
  await gateway.holds(1, 0)
  const early = curl(['-i', `${gateway.origin}/half?n=2&wait=1`])
  t.match(
    (await early.result).stdout.toString(),
    /^HTTP\/1.1 408 [\s\S]*\n\[ERROR\] Timed out waiting for receivers\.\n$/,
  )
  t.equal(gateway.gateway.table.get('half')?.hasSender, true, 'the sender waits on')
  sender.kill()
  await gateway.holds(0, 0)
})

part('nothing moves for the idle limit', async (t) => {
  const gateway = await startGateway(t, { idle: '1' })
  for (const framing of FRAMINGS) {
    const name = `idle-${framing}`
    const receiver = curl([`${gateway.origin}/${name}`])
    const sender = await openSender(gateway, name, framing)
    await sendPart(sender, framing, 'then nothing')
    t.equal(await reasonOf(gateway, name), 'idle')
    t.equal((await receiver.result).code, 18)
    await sender.waitForClose()
    endsBadly(t, sender, '[ERROR] Transfer idle for too long.')
  }
})

part('a transfer that is slower than the server allows', async (t) => {
  const gateway = await startGateway(t, { minRate: '100kB', minRatePeriod: '2' })
  const reader = curl([`${gateway.origin}/fast-enough`])
  const fast = curl(['--limit-rate', '1M', '-T', '-', `${gateway.origin}/fast-enough`], { input: randomBytes(5 * MIB) })
  for (const framing of FRAMINGS) {
    const name = `trickle-${framing}`
    const receiver = curl([`${gateway.origin}/${name}`])
    const sender = await openSender(gateway, name, framing)
    const trickle = setInterval(() => void sendPart(sender, framing, 'drop'), 100)
    t.equal(await reasonOf(gateway, name), 'too_slow')
    clearInterval(trickle)
    t.equal((await receiver.result).code, 18)
    await sender.waitForClose()
    endsBadly(t, sender, '[ERROR] Transfer failed: it was slower than the server allows.')
  }
  t.equal((await reader.result).code, 0)
  t.equal((await fast.result).code, 0, 'one that is fast enough is left alone')
})

part('?stall cuts the receiver that takes nothing, and only that one', async (t) => {
  const gateway = await startGateway(t)
  const body = randomBytes(24 * MIB)
  const frozen = await openFrozenReceiver(gateway, 'stall?n=2')
  const takes = curl([`${gateway.origin}/stall?n=2`])
  const sender = curl(['-N', '-T', '-', `${gateway.origin}/stall?n=2&stall=1`], { input: body })
  t.ok((await takes.result).stdout.equals(body))
  t.match((await sender.result).stdout.toString(), /A receiver disconnected\.\n[\s\S]*Transfer complete\.\n$/)
  frozen.resume()
  await frozen.waitForClose()
  t.notOk(parseResponse(frozen.received).complete, 'the frozen one sees that it has not got all')
  const alone = await openFrozenReceiver(gateway, 'stalled')
  const unheard = pour(gateway, 'stalled?stall=1', 32 * MIB)
  t.equal(await reasonOf(gateway, 'stalled'), 'receivers_stalled')
  t.match((await unheard.result).stdout.toString(), /\[ERROR\] Transfer failed: no receiver took any data/)
  alone.destroy()
})

part('clients that need it get a clean end of a failed transfer', async (t) => {
  const gateway = await startGateway(t, { failedEnd: 'clean' })
  const sender = curl(['-T', '-', `${gateway.origin}/clean?wait=1`], { input: 'x' })
  const { code, stdout } = await sender.result
  t.equal(code, 0)
  t.match(stdout.toString(), /\n\[ERROR\] Timed out waiting for receivers\.\n$/)
})
