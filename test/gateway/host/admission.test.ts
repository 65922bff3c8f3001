/** Admission hooks over real sockets. */

import t from 'tap'
import { textAnswer } from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { hooks, plugin, statusOf } from './plugin.js'

t.test('an admission hook refuses before the name is touched, and the first refusal counts', async (t) => {
  const heard: unknown[] = []
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('first', (host) => ({
          hooks: {
            onAdmit: (_request, join) =>
              join.side === 'sender' ? host.refuse('no', { who: 'senders' }, [['X-Why', 'because']]) : undefined,
            onRefused: (failure, by, context) => heard.push([failure.code, by, typeof context.id]),
          },
        })),
        hooks('second', { onAdmit: () => textAnswer(418, 'tea\n') }),
      ],
    },
  )
  const sent = await curlDone(['-i', '-d', 'x', gateway.url('name')])
  t.match(sent.stdout.toString(), /^HTTP\/1.1 403 Forbidden\r\n[\s\S]*X-Pipe-Code: FIRST_NO\r\nX-Why: because/i)
  t.match(sent.stdout.toString(), /\[ERROR\] No to senders. Ask for something else.\n$/)
  t.equal(await statusOf(gateway.url('name')), '418')
  t.same(heard, [['FIRST_NO', 'first', 'number']])
  t.equal(gateway.gateway.table.waiting, 0)
  await eventually(() => gateway.lines.some((line) => line.code === 'FIRST_NO') || 'the log has no code')
})

t.test('while an asynchronous admission hook decides, the body is held, and nothing of it is lost', async (t) => {
  for (const framing of ['length', 'chunked'] as const) {
    let decide: () => void = () => {}
    let copy = ''
    const gateway = await startGateway(
      t,
      {},
      {
        plugins: [
          hooks(
            'slow',
            {
              onAdmitAsync: async (request, join) => {
                if (join.side === 'receiver') return
                copy = `${request.header('x-wanted')},${request.header('x-other')}`
                await new Promise<void>((resolve) => {
                  decide = resolve
                })
              },
            },
            { reads: ['x-wanted'] },
          ),
        ],
      },
    )
    const body = Buffer.alloc(3_000_000, 'held ')
    const receiver = curl([gateway.url('big')])
    await gateway.holds(1, 0)
    const head = framing === 'length' ? [] : ['-H', 'Transfer-Encoding: chunked']
    const sender = curl(
      [...head, '-H', 'X-Wanted: yes', '-H', 'X-Other: no', '--data-binary', '@-', gateway.url('big')],
      {
        input: body,
      },
    )
    await eventually(() => copy !== '' || 'nobody asks')
    t.equal(copy, 'yes,', 'only the headers that were asked for are copied')
    t.equal(gateway.gateway.table.streaming, 0)
    t.equal(gateway.gateway.table.get('big')?.bytesIn, 0, 'nothing is in the pipe yet')
    decide()
    t.ok((await receiver.result).stdout.equals(body), framing)
    t.match((await sender.result).stdout.toString(), /Transfer complete.\n$/)
  }
})

t.test('uploads that wait for a decision have a bound together: the newest is refused before it is read', async (t) => {
  let decide: () => void = () => {}
  const decided = new Promise<void>((resolve) => {
    decide = resolve
  })
  const slow = hooks('slow', { onAdmitAsync: () => decided })
  const gateway = await startGateway(t, { memory: '1MiB' }, { plugins: [slow] })
  const body = Buffer.alloc(60_000, 'x')
  const uploads: Awaited<ReturnType<typeof connect>>[] = []
  const upload = async (name: string) => {
    const client = await connect({ port: gateway.port })
    uploads.push(client)
    await client.send(`PUT /${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
    await client.send(body)
    return client
  }
  const { slabs } = gateway.gateway
  const refused = async () => {
    const client = await upload(`upload-${uploads.length}`)
    const before = slabs.heldBytes
    await eventually(() => slabs.heldBytes > before + 50_000 || client.receivedBytes > 0 || 'neither held nor refused')
    return client.receivedBytes > 0
  }
  while (!(await refused())) if (uploads.length > 9) break
  t.ok(uploads.length >= 4 && uploads.length <= 9, `the ${uploads.length}th was refused`)
  t.ok(slabs.heldBytes <= 512 * 1024, `${slabs.heldBytes} bytes are held`)
  const answer = await uploads.at(-1)!.waitForResponse()
  t.equal(answer.status, 503)
  t.same([answer.headers['x-pipe-code'], answer.headers['retry-after']], [['NO_MEMORY'], ['5']])
  t.match(answer.body.toString(), /^\[ERROR\] The memory for what waiting senders have sent is used up\./)
  decide()
  await gateway.holds(uploads.length - 1, 0)
  for (const client of uploads) client.destroy()
  await gateway.holds(0, 0)
  await eventually(() => slabs.heldBytes === 0 || `${slabs.heldBytes} bytes are still held`)
  t.equal(slabs.share(1000), 1000)
})

t.test('a client that leaves while a hook decides is forgotten, and releases run once', async (t) => {
  const released: string[] = []
  const signals: AbortSignal[] = []
  const gateway = await startGateway(
    t,
    // Longer than this test waits: it is not the deadline that fires the signal.
    { decide: '60' },
    {
      plugins: [
        hooks('counting', {
          onAdmit: (_request, join) => {
            join.onOver(() => released.push(join.side))
          },
        }),
        hooks('undecided', {
          onAdmitAsync: (_request, _join, signal) => {
            signals.push(signal)
            return new Promise(() => {})
          },
        }),
      ],
    },
  )
  for (const head of [
    'GET /x HTTP/1.1\r\nHost: x\r\n\r\n',
    'PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc',
  ]) {
    const client = await connect({ port: gateway.port })
    await client.send(head)
    await eventually(() => signals.length > released.length || 'nobody decides')
    client.destroy()
    await eventually(() => signals.at(-1)?.aborted === true || 'the signal has not fired')
  }
  t.same(released, ['receiver', 'sender'])
  t.equal(gateway.gateway.table.waiting, 0)
})

t.test('a hook that decides too late has refused', async (t) => {
  const gateway = await startGateway(
    t,
    { decide: '1' },
    { plugins: [hooks('undecided', { onAdmitAsync: () => new Promise(() => {}) })] },
  )
  const answer = await curlDone(['-i', '-d', 'body', gateway.url('x')])
  t.match(answer.stdout.toString(), /^HTTP\/1.1 503 [\s\S]*Retry-After: 5\r\n[\s\S]*Nobody decided in time/i)
})

t.test('releases run exactly once on every way out', async (t) => {
  const open = new Set<number>()
  let releases = 0
  let refuses = false
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        hooks('counting', {
          onAdmit: (_request, join) => {
            open.add(join.id)
            join.onOver(() => {
              releases++
              if (!open.delete(join.id)) t.fail('released twice')
            })
          },
        }),
        plugin('later', (host) => ({
          hooks: { onAdmit: () => (refuses ? host.refuse('no', { who: 'all' }) : undefined) },
        })),
      ],
    },
  )
  const receiver = curl([gateway.url('a')])
  await gateway.holds(1, 0)
  await curlDone(['-d', 'x', gateway.url('a')])
  await receiver.result
  await curlDone(['-m', '0.2', gateway.url('b')])
  await curlDone([gateway.url('c?n=0')])
  const first = curl([gateway.url('d')])
  await gateway.holds(1, 0)
  await curlDone([gateway.url('d')])
  first.kill()
  refuses = true
  await curlDone([gateway.url('e')])
  await eventually(() => open.size === 0 || `${open.size} are not released`)
  t.equal(releases, 6, 'a request that is no good by itself is nobody’s business')
})
