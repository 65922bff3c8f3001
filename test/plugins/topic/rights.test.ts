/** Who may send may publish, and who may receive may subscribe; what limits count; whose a topic is. */
import t from 'tap'
import { WebSocket } from 'ws'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import limits from '../../../plugins/limits/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'

const [SENDER, READER, LOOKER, STRANGER] = [newToken(), newToken(), newToken(), newToken()]
const loaded = (plugin: unknown, config: object): LoadedPlugin => ({ plugin: plugin as Plugin, config })
const bearer = loaded(authBearer, {
  tokens: [
    { name: 'sender', project: 'one', hash: SENDER.hash, rights: ['send'] },
    { name: 'reader', project: 'one', hash: READER.hash, rights: ['receive'] },
    { name: 'looker', project: 'one', hash: LOOKER.hash, rights: ['watch'] },
    { name: 'stranger', project: 'two', hash: STRANGER.hash, rights: ['send', 'receive'] },
  ],
})
const auth = ({ token }: { readonly token: string }) => ['-H', `Authorization: Bearer ${token}`]

async function publish(gateway: Running, query: string, body: string, ...args: string[]): Promise<string> {
  const run = await curlDone(['-w', '%{http_code}', '--data-binary', body, ...args, gateway.url(`news?topic${query}`)])
  return run.stdout.toString()
}

async function subscribed(gateway: Running, ...args: string[]) {
  const run = curl(['-N', ...args, gateway.url('news?topic')])
  await eventually(() => gateway.gateway.table.get('one news')?.topic?.subscribers === 1 || run.stdoutText)
  return run
}

t.test('send and receive mean for topics what they mean for pipes, and a project has its own', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer] })
  const reader = await subscribed(gateway, ...auth(READER))
  const subscribe = async (...args: string[]) =>
    (await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args, gateway.url('news?topic')])).stdout.toString()
  t.same([await subscribe(), await subscribe(...auth(SENDER)), await subscribe(...auth(LOOKER))], ['401', '403', '403'])
  for (const query of ['', '&lines']) {
    t.match(await publish(gateway, query, 'x'), /401$/)
    for (const token of [READER, LOOKER]) t.match(await publish(gateway, query, 'x', ...auth(token)), /403$/)
  }
  t.match(await publish(gateway, '', 'for strangers', ...auth(STRANGER)), 'Delivered to 0 subscriber(s).\n200')
  t.match(await publish(gateway, '', 'for us', ...auth(SENDER)), 'Delivered to 1 subscriber(s).\n200')
  await reader.waitFor('for us\n')
  t.equal(reader.stdoutText, 'for us\n')
  reader.kill()
})

t.test('a WebSocket needs the right to receive, and to send for what it says', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer] })
  const open = async ({ token }: { readonly token: string }) => {
    const ended: (number | string)[] = []
    const headers = { Authorization: `Bearer ${token}` }
    const socket = new WebSocket(gateway.url('news?topic').replace('http', 'ws'), { headers })
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => ended.push(statusCode))
    socket.on('close', (code) => ended.push(code))
    socket.on('error', () => {})
    await eventually(() => socket.readyState === WebSocket.OPEN || ended.length > 0 || 'not yet')
    return { socket, ended }
  }
  t.equal((await open(SENDER)).ended[0], 403)
  const reader = await open(READER)
  t.match(await publish(gateway, '', 'for us', ...auth(SENDER)), 'Delivered to 1 subscriber(s).')
  reader.socket.send('from me')
  await eventually(() => reader.ended[0] === 1008 || `${reader.ended}`)
  const stranger = await open(STRANGER)
  stranger.socket.send('from a stranger')
  await eventually(() => gateway.gateway.table.get('two news')?.topic?.messages === 1 || 'not yet')
  stranger.socket.close()
  await gateway.ended('two news')
})

t.test('limits: bytes of a publisher, its speed, and how many messages', async (t) => {
  const config = { token: { bytesPerTransfer: 10, transfers: { points: 4, seconds: 600 } } }
  const gateway = await startGateway(t, {}, { plugins: [bearer, loaded(limits, config)] })
  const reader = await subscribed(gateway, ...auth(READER))
  t.match(await publish(gateway, '', '0123456789', ...auth(SENDER)), /200$/)
  t.match(await publish(gateway, '', '0123456789A', ...auth(SENDER)), /413$/)
  const chunked = await curlDone(['-w', '%{http_code}', '-T', '-', ...auth(SENDER), gateway.url('news?topic')], {
    input: '0123456789AB',
  })
  t.match(chunked.stdout.toString(), /may have 10\. Send less at once\.\n413$/)
  const lines = await curlDone(['-w', '%{http_code}', '-T', '-', ...auth(SENDER), gateway.url('news?topic&lines')], {
    input: '0123\n0123456789\n',
  })
  t.match(lines.stdout.toString(), /413$/)
  t.match(await publish(gateway, '', 'x', ...auth(SENDER)), /200$/)
  t.match(await publish(gateway, '', 'x', ...auth(SENDER)), /429$/)
  reader.kill()
})

t.test('limits: a publisher goes no faster than it may', async (t) => {
  const config = { token: { bytesPerSecond: 100_000 } }
  const gateway = await startGateway(t, {}, { plugins: [bearer, loaded(limits, config)] })
  const reader = await subscribed(gateway, ...auth(READER))
  const started = performance.now()
  t.match(await publish(gateway, '', 'x'.repeat(100_000), ...auth(SENDER)), /200$/)
  t.match(await publish(gateway, '', 'x'.repeat(50_000), ...auth(SENDER)), /200$/)
  t.ok(performance.now() - started > 400, `${Math.round(performance.now() - started)} ms`)
  reader.kill()
})
