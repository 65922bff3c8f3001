/** The head at once, and what follows, in each format. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { bodyOf, hasBody, MIB, part, published, subscribed } from './rig.js'

part('text/event-stream: the head at once, ids that grow by one, and binary as base64', async (t) => {
  const gateway = await startGateway(t)
  const accept = 'text/event-stream'
  const client = await subscribed(gateway, 'a', 1, { accept })
  await hasBody(client, ':\n\n')
  t.same(parseResponse(client.received).headers['content-type'], ['text/event-stream'])
  for (const body of ['one', 'two\nlines\r\n', Buffer.from([0xff, 0x00]), '']) {
    await published(gateway, 'a?topic', body as string)
  }
  const late = await subscribed(gateway, 'a', 2, { accept })
  await published(gateway, 'a?topic', 'five')
  await late.waitFor('five')
  await client.waitFor('five')
  const read: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => read.push(event) })
  parser.feed(bodyOf(client))
  t.same(
    read.map(({ id, event, data }) => [id, event, data]),
    [
      ['1', undefined, 'one'],
      ['2', undefined, 'two\nlines\n'],
      ['3', 'base64', '/wA='],
      ['4', undefined, ''],
      ['5', undefined, 'five'],
    ],
  )
  t.equal(bodyOf(late), ':\n\nid: 5\ndata: five\n\n')
  for (const each of [client, late]) each.destroy()
})

part('multipart/mixed: the head at once, and each message with its own type', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1, { accept: 'multipart/mixed' })
  await client.waitFor(/\r\n\r\n[0-9a-f]+\r\n--/)
  const [type = ''] = parseResponse(client.received).headers['content-type'] ?? []
  const [, boundary] = /^multipart\/mixed; boundary=([\w-]{24})$/.exec(type) ?? []
  for (const [body, given] of [
    ['{}', 'application/json'],
    ['<b>', 'text/html; charset=utf-8'],
    ['plain', undefined],
  ] as const) {
    await published(gateway, 'a?topic', body, ...(given === undefined ? [] : [`Content-Type: ${given}`]))
  }
  const part = (kind: string, body: string) =>
    `Content-Type: ${kind}\r\nContent-Length: ${body.length}\r\n\r\n${body}\r\n--${boundary}\r\n`
  await hasBody(
    client,
    `--${boundary}\r\n${part('application/json', '{}')}${part('text/plain; charset=utf-8', '<b>')}${part('application/octet-stream', 'plain')}`,
  )
  client.destroy()
})

part('lines: the head at once as well, and then messages of any size', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  await client.waitFor(/\r\n\r\n$/)
  const { headers } = parseResponse(client.received)
  t.match(headers, { 'transfer-encoding': ['chunked'], date: [/ GMT$/], 'content-type': ['text/plain; charset=utf-8'] })
  const large = 'x'.repeat(MIB)
  for (const body of ['one', large, '', 'two']) await published(gateway, 'a?topic', body)
  await hasBody(client, `one\n${large}\n\ntwo\n`)
  const large2 = await subscribed(gateway, 'a', 2)
  await large2.waitFor(/\r\n\r\n$/)
  await published(gateway, 'a?topic', large)
  await hasBody(large2, `${large}\n`)
  const quiet = await subscribed(gateway, 'a', 3)
  await quiet.waitFor(/\r\n\r\n$/)
  await gateway.gateway.stop(5000)
  t.match(await quiet.waitForResponse(), { status: 200, complete: true, body: Buffer.alloc(0) })
  t.match(await large2.waitForResponse(), { complete: true })
})

part('application/x-ndjson, and the same message to everybody in the form that each wants', async (t) => {
  const gateway = await startGateway(t)
  const json = await subscribed(gateway, 'a', 1, { accept: 'application/x-ndjson' })
  const plain = await subscribed(gateway, 'a', 2)
  const events = await subscribed(gateway, 'a', 3, { accept: 'text/event-stream' })
  const parts = await subscribed(gateway, 'a', 4, { accept: 'multipart/mixed' })
  await published(gateway, 'a?topic', '{"a":1}')
  await hasBody(json, '{"a":1}\n')
  await hasBody(plain, '{"a":1}\n')
  await hasBody(events, ':\n\nid: 1\ndata: {"a":1}\n\n')
  await parts.waitFor('{"a":1}\r\n--')
  t.same(parseResponse(json.received).headers['content-type'], ['application/x-ndjson'])
  for (const each of [json, plain, events, parts]) each.destroy()
})
