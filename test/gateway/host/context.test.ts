/** What a plugin may do with the context of a request. */

import t from 'tap'
import { type Join, textAnswer } from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'
import { hooks, plugin, statusOf } from './plugin.js'

t.test('identify makes a name the project’s own', async (t) => {
  const who = (join: Join, project: string) => {
    if (project !== '') join.identify({ project, subject: 'x', rights: new Set(['send', 'receive', 'watch']) })
  }
  const seen: string[] = []
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('projects', () => ({
          hooks: { onAdmit: (request, join) => who(join, request.header('x-project')) },
          modes: [
            {
              param: 'peek',
              head: true,
              handle(_request, reply, join, pipe) {
                seen.push(`${join.key}: ${pipe?.state}`)
                reply.give(textAnswer(200, `${pipe?.state}\n`))
              },
            },
          ],
        })),
      ],
    },
  )
  const mine = (project: string) => ['-H', `X-Project: ${project}`, gateway.url('jobs')]
  const receivers = ['red', 'blue'].map((project) => curl(mine(project)))
  await gateway.holds(2, 0)
  t.equal((await curlDone(['-H', 'X-Project: green', gateway.url('jobs?peek')])).stdout.toString(), 'undefined\n')
  t.equal((await curlDone(['-H', 'X-Project: red', gateway.url('jobs?peek')])).stdout.toString(), 'waiting\n')
  t.equal(await statusOf('-I', '-H', 'X-Project: red', gateway.url('jobs?peek')), '200')
  t.equal(await statusOf('-I', gateway.url('jobs')), '405')
  await curlDone(['-d', 'for blue', ...mine('blue')])
  await curlDone(['-d', 'for red', ...mine('red')])
  t.same(await Promise.all(receivers.map(async (each) => (await each.result).stdout.toString())), [
    'for red',
    'for blue',
  ])
  t.same(seen, ['green jobs: undefined', 'red jobs: waiting', 'red jobs: waiting'])
  const bad = await curlDone(['-w', '%{http_code}', '-H', 'X-Project: a b', gateway.url('jobs')])
  t.match(bad.stdout.toString(), /500$/, 'a project cannot be taken for a part of a name')
})

t.test('limits that an admission hook sets hold for the transfer', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('strict', (host) => ({
          hooks: {
            onAdmit: (request, join) => {
              join.addHeader('X-Strict', 'yes')
              if (join.name === 'small') join.tighten('maxBytes', 10)
              if (join.name === 'short') join.tighten('totalMs', 300)
              if (join.name === 'slow' && join.side === 'sender') join.throttle(host.throttle(200_000))
              if (request.query === 'stop')
                host.end('stopped', { status: 409, message: 'the operator wants it.', hint: '' })
            },
          },
        })),
      ],
    },
  )
  t.match(
    (await curlDone(['-d', 'more than ten bytes', gateway.url('small')])).stdout.toString(),
    /has 19 bytes, and may have 10/,
  )
  const fits = curl([gateway.url('small')])
  await gateway.holds(1, 0)
  await curlDone(['-d', 'just right', gateway.url('small')])
  t.equal((await fits.result).stdout.toString(), 'just right')
  const cut = curl([gateway.url('small')])
  await gateway.holds(1, 0)
  const sender = await curlDone(['-H', 'Transfer-Encoding: chunked', '-d', 'more than ten bytes', gateway.url('small')])
  t.match(sender.stdout.toString(), /\[ERROR\] Transfer failed: it has more bytes than it may have.\n$/)
  t.equal(await gateway.ended('small', 2), 'too_large')
  t.not((await cut.result).code, null)

  const late = curl(['-N', gateway.url('short')])
  const trickling = curl(['-N', '-T', '.', gateway.url('short')])
  trickling.stdin.write('first')
  await late.waitFor('first')
  t.equal(await gateway.ended('short'), 'too_long')
  t.not((await late.result).code, 0)
  await trickling.waitFor('[ERROR] Transfer failed: it took longer than it may.')
  // Until then this curl looks at nothing but its standard input.
  trickling.stdin.end()
  t.not((await trickling.result).code, 0)

  const stopped = curl(['-N', gateway.url('stopped')])
  const stopping = curl(['-N', '-T', '.', gateway.url('stopped')])
  stopping.stdin.write('first')
  await stopped.waitFor('first')
  await curlDone(['-m', '0.1', gateway.url('other?stop')])
  t.equal(await gateway.ended('stopped'), 'stopped')
  await stopping.waitFor('[ERROR] Transfer failed: the operator wants it.\n')
  stopping.stdin.end()
  t.not((await stopping.result).code, 0)

  const from = performance.now()
  const slow = curl(['-i', gateway.url('slow')])
  const sent = await curlDone(['-i', '--data-binary', '@-', gateway.url('slow')], { input: Buffer.alloc(200_000) })
  const seconds = (performance.now() - from) / 1000
  t.match((await slow.result).stdout.toString('latin1'), /X-Strict: yes/i)
  t.match(sent.stdout.toString(), /X-Strict: yes/i, 'on both sides')
  t.ok(seconds > 0.5 && seconds < 10, `200 kB at 200 kB/s took ${seconds.toFixed(2)} s`)
})

t.test('slots are private, and what is provided is shared', async (t) => {
  const token = { name: 'greeting' }
  const seen: unknown[] = []
  await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('gives', (host) => {
          const slot = host.slot<string>()
          host.provide(token, 'hello')
          return { hooks: { onAdmit: (_request, join) => slot.set(join, 'a secret of its own') } }
        }),
        plugin('takes', (host) => {
          const slots = [host.slot<string>(), host.slot<string>()] as const
          seen.push(host.use(token), host.use({ name: 'greeting' }), host.has('gives'), host.has('other'))
          return {
            hooks: {
              onAdmit(_request, join) {
                slots[0].set(join, 'mine')
                seen.push(slots[0].get(join), slots[1].get(join))
              },
            },
          }
        }),
      ],
    },
  ).then(({ url }) => curlDone(['-m', '0.2', url('x')]))
  t.same(seen, ['hello', undefined, true, false, 'mine', undefined])
})

t.test('behind a trusted proxy the client is who the proxy says', async (t) => {
  const seen: string[] = []
  const watch = hooks('addresses', { onRequest: (_request, context) => void seen.push(context.clientAddress) })
  const trusting = await startGateway(t, { trustedProxies: '127.0.0.1,10.0.0.0/8' }, { plugins: [watch] })
  const plain = await startGateway(t, {}, { plugins: [watch] })
  const ask = (gateway: typeof plain, header: string) =>
    curlDone(['-o', '/dev/null', '-H', `X-Forwarded-For: ${header}`, gateway.url('health')])
  await ask(plain, '192.0.2.1')
  await ask(trusting, '192.0.2.1')
  await ask(trusting, '203.0.113.9, 192.0.2.2, 10.1.2.3')
  await ask(trusting, '[2001:db8::1]:443')
  await ask(trusting, 'nonsense')
  t.same(seen, ['127.0.0.1', '192.0.2.1', '192.0.2.2', '2001:db8::1', '127.0.0.1'])
})
