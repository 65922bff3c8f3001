/** A refusal does not disturb the pipe on the same name. */

import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { type Case, get, NAME_METHODS, open, put, refused } from './rig.js'

/** A refusal, and the pipe on the same name that must not notice. */
interface Disturbance {
  readonly name: string
  readonly refusals: readonly Case[]
}

const WAITING: readonly Disturbance[] = [
  {
    name: 'requests that do not fit',
    refusals: [
      { ...put('/d?n=2', 'no'), row: FAILURES.senderExists, says: /A sender already waits .* use another name\./ },
      {
        ...put('/d', 'no'),
        row: FAILURES.nMismatch,
        says: /says n=1, but .* waits for 2 receiver\(s\)\. Use \?n=2 on/,
      },
      {
        ...put('/d?n=3', 'no'),
        row: FAILURES.nMismatch,
        says: /says n=3, but .* waits for 2 receiver\(s\)\. Use \?n=2 on/,
      },
      { ...get('/d'), row: FAILURES.nMismatch, says: /says n=1, but .* waits for 2 receiver\(s\)\. Use \?n=2 on/ },
      { ...get('/d?n=256'), row: FAILURES.nMismatch, says: /says n=256, but .* waits for 2 receiver\(s\)\./ },
    ],
  },
  {
    name: 'requests that never fit',
    refusals: [
      { ...get('/d?n=0'), row: FAILURES.badParameter, says: /n is "0"/ },
      { ...get('/d?n=2&wait=x'), row: FAILURES.badParameter, says: /wait is "x"/ },
      { ...put('/d?n=2&reply=x', 'no'), row: FAILURES.badParameter, says: /reply is "x"/ },
      { ...get('/d?n=2&filename='), row: FAILURES.badParameter, says: /filename is ""/ },
      { ...get('/d?n=2&status'), row: FAILURES.notAvailable, says: /\?status/ },
      { ...put('/d?n=2', 'no', 'Content-Range: bytes 0-1/2'), row: FAILURES.contentRange, says: /Content-Range/ },
      { method: 'DELETE', target: '/d', row: FAILURES.methodNotAllowed, says: /DELETE/, allow: NAME_METHODS },
    ],
  },
]

const payload = randomBytes(300_000)

async function sendPayload(gw: Running): Promise<RawClient> {
  const client = await open(gw, { method: 'PUT', target: '/d?n=2', headers: [`Content-Length: ${payload.length}`] })
  void client.send(payload)
  await client.waitFor('Waiting for 2 receiver')
  return client
}

/** The pipe on /d completes, byte for byte. */
async function completes(t: Test, sending: RawClient, receiving: readonly RawClient[]): Promise<void> {
  for (const client of receiving) {
    const response = await client.waitForResponse()
    t.equal(response.status, 200)
    t.ok(response.body.equals(payload), 'a receiver has every byte')
  }
  const told = await sending.waitForResponse()
  t.match(told.body.toString(), /Transfer complete\.\n$/)
  t.notMatch(told.body.toString(), /ERROR|disconnected/, 'the sender heard nothing of the others')
  for (const client of [sending, ...receiving]) client.destroy()
}

for (const { name, refusals } of WAITING) {
  t.test(`undisturbed by ${name}: a sender that waits`, async (t) => {
    const gw = await startGateway(t)
    const sending = await sendPayload(gw)
    for (const each of refusals) await refused(t, gw, each)
    const first = await open(gw, get('/d?n=2'))
    await eventually(() => gw.gateway.table.get('d')?.receiversPresent === 1 || 'the receiver is not there')
    for (const each of refusals) await refused(t, gw, each)
    await completes(t, sending, [first, await open(gw, get('/d?n=2'))])
  })

  t.test(`undisturbed by ${name}: receivers that wait`, async (t) => {
    const gw = await startGateway(t)
    const receiving = [await open(gw, get('/d?n=2'))]
    await gw.holds(1, 0)
    // A second sender is only refused where a first one is.
    const here = refusals.filter(({ row }) => row !== FAILURES.senderExists)
    for (const each of here) await refused(t, gw, each)
    receiving.push(await open(gw, get('/d?n=2')))
    await eventually(() => gw.gateway.table.get('d')?.receiversPresent === 2 || 'the receivers are not there')
    for (const each of here) await refused(t, gw, each)
    const says = /All 2 receiver\(s\) of this name are already here\. Raise n on every side/
    await refused(t, gw, { ...get('/d?n=2'), row: FAILURES.receiversFull, says })
    t.equal(gw.gateway.table.get('d')?.receiversPresent, 2)
    await completes(t, await sendPayloadNow(gw), receiving)
  })
}

async function sendPayloadNow(gw: Running): Promise<RawClient> {
  const client = await open(gw, { method: 'PUT', target: '/d?n=2', headers: [`Content-Length: ${payload.length}`] })
  await client.send(payload)
  return client
}

t.test('undisturbed: a transfer that runs', async (t) => {
  const gw = await startGateway(t)
  const sending = await open(gw, { method: 'PUT', target: '/d?n=2', headers: [`Content-Length: ${payload.length}`] })
  await sending.send(payload.subarray(0, 1000))
  const receiving = [await open(gw, get('/d?n=2')), await open(gw, get('/d?n=2'))]
  for (const client of receiving) await eventually(() => client.receivedBytes > 1000 || 'the stream has not begun')
  const says = /A transfer is already running on this name\. Wait until it has ended, or use another name\./
  for (const ask of [get('/d?n=2'), get('/d'), get('/d?n=3'), put('/d?n=2', 'no'), put('/d', 'no'), put('/d', '')]) {
    await refused(t, gw, { ...ask, row: FAILURES.pipeBusy, says })
  }
  for (const each of WAITING[1]!.refusals) await refused(t, gw, each)
  await sending.send(payload.subarray(1000))
  await completes(t, sending, receiving)
})
