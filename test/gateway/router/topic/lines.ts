/** `?topic&lines`: one upload, and each of its lines is a message. */
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { bodyOf, countsAre, countsOf, hasBody, KIB, MIB, part, published, subscribed, textOf } from './rig.js'

part('each line is a message as soon as it has come, and the upload holds the name', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const events = await subscribed(gateway, 'a', 2, { accept: 'text/event-stream' })
  const upload = curl(['-N', '-T', '-', `${gateway.origin}/a?topic&lines`])
  upload.stdin.write('one\ntw')
  await hasBody(client, 'one\n')
  await countsAre(gateway, 'a', { publishers: 1, messages: 1 })
  upload.stdin.write('o\r\n\nlast')
  await hasBody(client, 'one\ntwo\n\n')
  await published(gateway, 'a?topic', 'between')
  upload.stdin.end()
  const { stdout, code } = await upload.result
  t.same([stdout.toString(), code], ['[INFO] Delivered 4 message(s), the last to 2 subscriber(s).\n', 0])
  await hasBody(client, 'one\ntwo\n\nbetween\nlast\n')
  await events.waitFor('id: 5\ndata: last\n\n')
  for (const each of [client, events]) each.destroy()
  t.equal(await gateway.ended('a'), 'complete')
})

part('without a line, and with nobody to hear', async (t) => {
  const gateway = await startGateway(t)
  const empty = await published(gateway, 'a?topic&lines', '')
  t.equal(textOf(empty), '[INFO] Delivered 0 message(s).\n')
  const unheard = await published(gateway, 'a?topic&lines', 'a\nb\n')
  t.equal(textOf(unheard), '[INFO] Delivered 2 message(s), the last to 0 subscriber(s).\n')
  t.equal(await gateway.ended('a'), 'abandoned')
})

part('a line above 1 MiB is 413, and what came before it has been delivered', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const input = Buffer.concat([Buffer.from('first\n'), Buffer.alloc(3 * MIB, 'x')])
  const run = await curlDone(['-w', '%{http_code}', '-T', '-', `${gateway.origin}/a?topic&lines`], { input })
  t.match(run.stdout.toString(), /^\[ERROR\] This body has \d+ bytes, and may have 1048576\..*\n413$/)
  await hasBody(client, 'first\n')
  t.equal(countsOf(gateway, 'a')?.publishers, 0)
  client.destroy()
})

part('while a line waits the upload is not read, and goes on when there is room', async (t) => {
  const gateway = await startGateway(t)
  const slow = await subscribed(gateway, 'a', 1, { frozen: true })
  const line = Buffer.concat([Buffer.alloc(64 * KIB - 1, 'x'), Buffer.from('\n')])
  const input = Buffer.concat(Array.from({ length: 512 }, () => line))
  const upload = curl(['-T', '-', `${gateway.origin}/a?topic&lines`], { input })
  await countsAre(gateway, 'a', { waiting: 1, publishers: 1 })
  const held = gateway.gateway.slabs.heldBytes
  t.ok(held < 4 * MIB, `${held} bytes are held`)
  slow.resume()
  const { stdout } = await upload.result
  t.equal(stdout.toString(), '[INFO] Delivered 512 message(s), the last to 1 subscriber(s).\n')
  await eventually(() => slow.receivedBytes > input.length || `${slow.receivedBytes}`, { timeoutMs: 30_000 })
  await eventually(() => parseResponse(slow.received).body.equals(input) || 'not all')
  slow.destroy()
})

part('min: the first line waits for somebody; an upload that breaks off leaves nothing behind', async (t) => {
  const gateway = await startGateway(t)
  const upload = curl(['-N', '-T', '-', `${gateway.origin}/a?topic&lines&min=1`])
  upload.stdin.write('a\nb\n')
  await countsAre(gateway, 'a', { waiting: 1, messages: 0 })
  const client = await subscribed(gateway, 'a', 1)
  await hasBody(client, 'a\nb\n')
  upload.stdin.write('never whole')
  upload.kill()
  await countsAre(gateway, 'a', { publishers: 0 })
  t.equal(bodyOf(client), 'a\nb\n')
  client.destroy()
  t.equal(await gateway.ended('a'), 'complete')
})

part('tens of thousands of lines on one connection, all of them, in order', async (t) => {
  const gateway = await startGateway(t)
  const [one, two, three] = [
    await subscribed(gateway, 'a', 1),
    await subscribed(gateway, 'a', 2),
    await subscribed(gateway, 'a', 3),
  ]
  const input = Array.from({ length: 50_000 }, (_, i) => `line ${i} ${'x'.repeat(40)}\n`).join('')
  const started = performance.now()
  const run = await curlDone(['-T', '-', `${gateway.origin}/a?topic&lines`], { input })
  t.equal(run.stdout.toString(), '[INFO] Delivered 50000 message(s), the last to 3 subscriber(s).\n')
  t.comment(`${Math.round(50_000 / ((performance.now() - started) / 1000))} messages a second`)
  for (const client of [one, two, three]) {
    await eventually(() => client.receivedBytes > input.length || `${client.receivedBytes}`, { timeoutMs: 30_000 })
    await hasBody(client, input)
    client.destroy()
  }
})
