/** Subscribers that do not read: who waits for them, who does not, and what they cost. */
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { countsAre, countsOf, KIB, MIB, part, post, published, subscribed, textOf } from './rig.js'

/** More than the kernel takes for who does not read, and a window. */
const MUCH = 24

part('hold: publishers wait for one that does not read, and everybody gets everything when it does', async (t) => {
  const gateway = await startGateway(t)
  const slow = await subscribed(gateway, 'a', 1, { frozen: true })
  const fast = await subscribed(gateway, 'a', 2)
  const publisher = await gateway.connect()
  const body = (i: number) => Buffer.alloc(512 * KIB, String.fromCharCode(97 + (i % 26)))
  let sent = 0
  const pouring = (async () => {
    for (; sent < 2 * MUCH; sent++) {
      await publisher.send(post('a?topic', body(sent)))
      const wanted = sent + 1
      const answers = () => publisher.text.match(/Delivered to 2 subscriber/g)?.length ?? 0
      await eventually(() => answers() === wanted || `${answers()} answers`, { timeoutMs: 30_000 })
    }
  })()
  await countsAre(gateway, 'a', { waiting: 1 })
  t.ok(sent > 0 && sent < 2 * MUCH, `${sent} were taken`)
  const held = gateway.gateway.slabs.heldBytes
  t.ok(held < 3 * MIB, `${held} bytes are held`)
  const late = await published(gateway, 'a?topic&wait=1', 'late')
  t.match([late.status, late.headers['x-pipe-code']], [504, ['HELD_TOO_LONG']])
  t.match(
    textOf(late),
    /^\[ERROR\] A subscriber has not taken what came before, and nobody has got this message\. Send it again, or/,
  )
  slow.resume()
  await pouring
  const whole = Buffer.concat(Array.from({ length: 2 * MUCH }, (_, i) => [body(i), Buffer.from('\n')]).flat())
  for (const client of [slow, fast]) {
    await eventually(() => client.receivedBytes > whole.length || `${client.receivedBytes} bytes`, {
      timeoutMs: 30_000,
    })
    await eventually(() => parseResponse(client.received).body.equals(whole) || 'not all', { timeoutMs: 30_000 })
  }
  for (const client of [slow, fast, publisher]) client.destroy()
})

part('cut: one that does not read is cut and sees no clean end; nobody waits for it', async (t) => {
  const gateway = await startGateway(t)
  const deaf = await subscribed(gateway, 'a', 1, { frozen: true })
  const fast = await subscribed(gateway, 'a', 2)
  for (let i = 0; i < MUCH && countsOf(gateway, 'a')?.cuts === 0; i++) {
    t.equal((await published(gateway, 'a?topic&slow=cut', Buffer.alloc(MIB, 'x'))).status, 200)
    // Who reads at all is not cut for being a moment late.
    await eventually(() => gateway.gateway.slabs.heldBytes < 8 * MIB || 'too much is held')
  }
  await countsAre(gateway, 'a', { cuts: 1, subscribers: 1 })
  t.equal(textOf(await published(gateway, 'a?topic', 'last')), '[INFO] Delivered to 1 subscriber(s).\n')
  await fast.waitFor(/last\n\r\n$|last\n$/, 30_000)
  deaf.resume()
  await deaf.waitForClose()
  t.notOk(parseResponse(deaf.received).complete)
  const line = gateway.lines.find(({ msg, reason }) => msg === 'request' && reason === 'fell_behind')
  t.match(line, { method: 'GET', outcome: 'cut' })
  fast.destroy()
})

part('slowSubscribers: cut is what the configuration says', async (t) => {
  const gateway = await startGateway(t, { slowSubscribers: 'cut' })
  const deaf = await subscribed(gateway, 'a', 1, { frozen: true })
  for (let i = 0; i < MUCH && countsOf(gateway, 'a') !== undefined; i++) {
    await published(gateway, 'a?topic', Buffer.alloc(MIB, 'x'))
  }
  t.equal(await gateway.ended('a'), 'complete')
  t.match(
    gateway.lines.find(({ msg }) => msg === 'transfer'),
    { kind: 'topic', receivers: 1, cuts: 1 },
  )
  deaf.destroy()
})

part('stallMax: one that takes nothing for so long is cut, and the publishers go on', async (t) => {
  const gateway = await startGateway(t, { stallMax: '1' })
  const deaf = await subscribed(gateway, 'a', 1, { frozen: true })
  const publisher = await gateway.connect()
  for (let i = 0; i < MUCH; i++) publisher.send(post('a?topic', Buffer.alloc(MIB, 'x'))).catch(() => {})
  await eventually(() => countsOf(gateway, 'a') === undefined || JSON.stringify(countsOf(gateway, 'a')))
  const isCut = () => gateway.lines.some(({ msg, reason }) => msg === 'request' && reason === 'receivers_stalled')
  await eventually(() => isCut() || 'nobody was cut')
  const answers = () => publisher.text.match(/Delivered to/g)?.length ?? 0
  await eventually(() => answers() === MUCH || `${answers()} answers`)
  for (const client of [deaf, publisher]) client.destroy()
})
