/** Routes and modes of plugins over real sockets. */

import t from 'tap'
import { type Join, type Route, textAnswer } from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { plugin, statusOf } from './plugin.js'

t.test(
  'a mode is asked for by its parameter, and sees the whole head of the request, also when somebody has to decide',
  async (t) => {
    for (const hook of ['onAdmit', 'onAdmitAsync'] as const) {
      const seen: string[] = []
      const gateway = await startGateway(
        t,
        {},
        {
          plugins: [
            plugin('peeking', () => ({
              hooks: {
                [hook]: (request: { header(name: string): string }, join: Join) => {
                  if (join.side === 'watcher') seen.push(`gate ${request.header('x-twice')}`)
                  return hook === 'onAdmit' ? undefined : Promise.resolve()
                },
              },
              modes: [
                {
                  param: 'peek',
                  handle(request, reply) {
                    seen.push(`mode ${request.header('x-twice')} ${request.query}`)
                    reply.give(textAnswer(200, 'peeked'))
                  },
                },
              ],
            })),
          ],
        },
      )
      const twice = ['-H', 'X-Twice: first', '-H', 'X-Twice: second']
      t.equal((await curlDone([...twice, gateway.url('x?peek')])).stdout.toString(), 'peeked')
      t.same(seen, ['gate first', 'mode first peek'])
      t.equal(await statusOf('-I', gateway.url('x?peek')), '405', 'it does not answer HEAD')
      for (const off of ['0', 'false', 'NO']) {
        const receiver = curl([gateway.url(`x?peek=${off}`)])
        await curlDone(['-d', off, gateway.url('x?peek')])
        t.equal((await receiver.result).stdout.toString(), off)
      }
      t.equal(seen.length, 2)
    }
  },
)

t.test('a mode may be open to everyone, and apply to some requests only', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('closed', (host) => ({ hooks: { onAdmit: () => host.refuse('no', { who: 'anybody' }) } })),
        plugin('modes', () => ({
          modes: [
            {
              param: 'shown',
              open: true,
              applies: (request) => request.header('accept') === 'text/html',
              handle: (_request, reply, join) => void reply.give(textAnswer(200, `${join.side} of ${join.name}\n`)),
            },
            {
              param: 'broken',
              applies() {
                throw new Error('defect')
              },
              handle() {},
            },
          ],
        })),
      ],
    },
  )
  const said = async (...args: string[]) => (await curlDone(args)).stdout.toString()
  t.equal(await said('-H', 'Accept: text/html', gateway.url('x?shown')), 'watcher of x\n')
  t.equal(await statusOf(gateway.url('x?shown')), '403', 'a receiver, whom nobody lets in')
  t.equal(await statusOf('-H', 'Accept: text/html', gateway.url('x?shown=0')), '403')
  t.match(await said(gateway.url('x?broken')), /The plugin modes failed/)
})

t.test('a plugin can own the empty name, and nobody can send to it', async (t) => {
  const handle: Route['handle'] = (_request, reply) => void reply.give(textAnswer(200, 'welcome\n'))
  const top = plugin('top', () => ({ routes: [{ method: 'GET', path: '/', bare: true, handle }] }))
  const gateway = await startGateway(t, {}, { plugins: [top] })
  for (const path of ['', '/', '/api/v1/pipe', '/api/v1/pipe/'])
    t.equal((await curlDone([`${gateway.origin}${path}`])).stdout.toString(), 'welcome\n', path)
  t.equal(await statusOf('-d', 'x', `${gateway.origin}/`), '400')
  t.equal(await statusOf('-X', 'DELETE', `${gateway.origin}/`), '405')
})

t.test('a plugin has paths of its own', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('paths', () => ({
          routes: [
            { method: 'GET', path: '/hello', handle: (_request, reply) => void reply.give(textAnswer(200, 'hello\n')) },
            { method: 'POST', path: '/hello', handle: (_request, reply) => void reply.give(textAnswer(201, 'made\n')) },
            {
              method: 'GET',
              path: '/metrics',
              handle: (_request, reply) => void reply.give(textAnswer(200, 'numbers\n')),
            },
            {
              method: 'GET',
              path: '/broken',
              bare: true,
              handle() {
                throw new Error('defect')
              },
            },
            {
              method: 'GET',
              path: '/stream',
              handle(_request, reply, context) {
                reply.open(200, [['Content-Type', 'text/plain']])
                reply.write('one ')
                reply.write('two\n')
                context.onOver(() => over.push(context.id))
                setImmediate(() => reply.close())
              },
            },
          ],
        })),
      ],
    },
  )
  const over: number[] = []
  t.equal((await curlDone([gateway.url('hello')])).stdout.toString(), 'hello\n')
  t.equal((await curlDone(['-d', 'body', gateway.url('hello')])).stdout.toString(), 'made\n')
  t.equal(await statusOf('-I', gateway.url('hello')), '200')
  t.match(
    (await curlDone(['-i', '-X', 'PUT', gateway.url('hello')])).stdout.toString(),
    /^HTTP\/1.1 405 [\s\S]*Allow: GET, HEAD, POST, OPTIONS\r\n/i,
  )
  t.equal(await statusOf('-X', 'OPTIONS', gateway.url('hello')), '204')
  t.match((await curlDone([`${gateway.origin}/hello`])).stdout.toString(), /Try \/api\/v1\/pipe\/hello/)
  t.equal(
    (await curlDone([gateway.url('METRICS/')])).stdout.toString(),
    'numbers\n',
    'reserved names keep their aliases',
  )
  t.match((await curlDone([`${gateway.origin}/broken`])).stdout.toString(), /The plugin paths failed/)
  t.equal((await curlDone([gateway.url('stream')])).stdout.toString(), 'one two\n')
  await eventually(() => over.length === 1 || 'the stream is not over')
})

t.test('a reader of a plugin’s stream that does not read costs what the plugin allows, and is known', async (t) => {
  let kept = 0
  let over = false
  let drained = false
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('events', () => ({
          modes: [
            {
              param: 'events',
              handle(_request, reply, join) {
                reply.open(200, [['Content-Type', 'text/event-stream']])
                reply.onDrain(() => {
                  drained = true
                })
                join.onOver(() => {
                  over = true
                })
                const more = () => {
                  while (!reply.isOver && reply.write('x'.repeat(65_536)));
                  kept = reply.kept
                }
                const timer = setInterval(() => (kept > 1_000_000 ? reply.cut() : more()), 1)
                join.onOver(() => clearInterval(timer))
              },
            },
          ],
        })),
      ],
    },
  )
  const client = await connect({ port: gateway.port, keep: false })
  await client.send('GET /x?events HTTP/1.1\r\nHost: x\r\n\r\n')
  client.pause()
  await eventually(() => over || `it keeps ${kept} bytes`, { timeoutMs: 20_000 })
  t.ok(kept > 1_000_000)
  t.notOk(drained && kept === 0)
  client.destroy()
})
