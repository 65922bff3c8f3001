/** A peer sends and receives, so it needs both rights; a part of one needs its own. Limits count both directions. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import limits from '../../../plugins/limits/index.js'
import { linksPlugin } from '../../../plugins/links/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'

const [OWNER, SENDER, RECEIVER, OTHER, LIMITED] = [newToken(), newToken(), newToken(), newToken(), newToken()]
const loaded = (plugin: unknown, config: object): LoadedPlugin => ({ plugin: plugin as Plugin, config })
const bearer = loaded(authBearer, {
  tokens: [
    { name: 'owner', project: 'one', hash: OWNER.hash },
    { name: 'sender', project: 'one', hash: SENDER.hash, rights: ['send'] },
    { name: 'receiver', project: 'one', hash: RECEIVER.hash, rights: ['receive'] },
    { name: 'other', project: 'two', hash: OTHER.hash },
    { name: 'limited', project: 'one', hash: LIMITED.hash, names: ['talk/*'] },
  ],
})

type Token = { readonly token: string }
const auth = ({ token }: Token) => ['-H', `Authorization: Bearer ${token}`]
const CODE = ['-s', '-o', '/dev/null', '-w', '%{http_code} %header{x-pipe-code}']

/** What a WebSocket with this token is answered. */
async function handshake(t: Test, gateway: Running, target: string, who?: Token): Promise<string> {
  const headers = who === undefined ? {} : { Authorization: `Bearer ${who.token}` }
  const ws = new WebSocket(gateway.url(target).replace(/^http/, 'ws'), { headers })
  t.teardown(() => ws.terminate())
  return new Promise((resolve) => {
    ws.on('error', () => {})
    ws.on('open', () => resolve('open'))
    ws.on('unexpected-response', (_, { statusCode, headers: got }) => resolve(`${statusCode} ${got['x-pipe-code']}`))
  })
}

const peers = (gateway: Running, wanted: number, key: string) =>
  eventually(() => {
    const found = gateway.gateway.table.get(key)?.duplex?.peers ?? 0
    return found === wanted || `${found} peers`
  })

t.test('a whole peer needs both rights, a part of one its own', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer] })
  const answer = async (method: string, query: string, who?: Token) => {
    const body = method === 'PUT' ? ['-T', '-'] : []
    const args = [...CODE, ...body, ...(who ? auth(who) : []), gateway.url(`d?${query}`)]
    return (await curlDone(args, { input: 'x' })).stdout.toString()
  }
  t.match(await answer('PUT', 'duplex'), /^401 /)
  t.equal(await answer('PUT', 'duplex', SENDER), '403 NEEDS_BOTH_RIGHTS')
  t.match(await answer('PUT', 'duplex', RECEIVER), /^403 AUTH_BEARER_/)
  t.match(await answer('PUT', 'duplex=a', RECEIVER), /^403 AUTH_BEARER_/)
  t.match(await answer('GET', 'duplex=a', SENDER), /^403 AUTH_BEARER_/)
  t.match(await handshake(t, gateway, 'd?ws'), /^401 /)
  t.equal(await handshake(t, gateway, 'd?ws', SENDER), '403 NEEDS_BOTH_RIGHTS')
  t.match(await handshake(t, gateway, 'd?ws', RECEIVER), /^403 AUTH_BEARER_/)
  t.equal(gateway.gateway.table.get('one d'), undefined, 'none of them took a place')

  const words = curl(['-s', '-T', '-', ...auth(SENDER), gateway.url('d?duplex=a')], { input: 'said' })
  const ears = curl(['-s', ...auth(RECEIVER), gateway.url('d?duplex=a')])
  await peers(gateway, 1, 'one d')
  const whole = curl(['-s', '-X', 'PUT', '-T', '-', ...auth(OWNER), gateway.url('d?duplex')], { input: 'heard' })
  t.equal((await whole.result).stdout.toString(), 'said')
  t.equal((await ears.result).stdout.toString(), 'heard')
  t.match((await words.result).stdout.toString(), /Transfer complete\.\n$/)
})

t.test('nobody meets a peer of another project, and a pattern holds for peers', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer] })
  t.equal(await handshake(t, gateway, 'd?ws', OWNER), 'open')
  t.equal(await handshake(t, gateway, 'd?ws', OTHER), 'open')
  await Promise.all([peers(gateway, 1, 'one d'), peers(gateway, 1, 'two d')])
  t.match(await handshake(t, gateway, 'd?ws', LIMITED), /^403 AUTH_BEARER_/)
  const args = [...CODE, '-X', 'PUT', '-d', 'x', ...auth(LIMITED)]
  t.match((await curlDone([...args, gateway.url('d?duplex')])).stdout.toString(), /^403 AUTH_BEARER_/)
  await peers(gateway, 1, 'one d')
  t.equal(await handshake(t, gateway, 'talk/1?ws', LIMITED), 'open')
  await peers(gateway, 1, 'one talk/1')
})

t.test('a signed link has one right: that of a part', async (t) => {
  const links = loaded(linksPlugin(), { secret: 'a secret that is long enough for all of it' })
  const gateway = await startGateway(t, {}, { plugins: [bearer, links] })
  const made = (await curlDone(['-s', ...auth(OWNER), gateway.url('d?link=receive')])).stdout.toString().trim()
  const sig = `sig=${new URL(made).searchParams.get('sig')}`
  t.match(await handshake(t, gateway, `d?ws&${sig}`), /^403 /)
  const whole = [...CODE, '-X', 'PUT', '-d', 'x', gateway.url(`d?duplex&${sig}`)]
  t.match((await curlDone(whole)).stdout.toString(), /^403 /)
  t.equal(gateway.gateway.table.get('one d'), undefined)
  const ears = curl(['-s', gateway.url(`d?duplex=b&${sig}`)])
  await peers(gateway, 1, 'one d')
  const told = curl(['-s', '-T', '-', ...auth(OWNER), gateway.url('d?duplex=a')], { input: 'by link' })
  t.equal((await ears.result).stdout.toString(), 'by link')
  t.equal((await told.result).code, 0)
})

t.test('limits: a peer is one transfer, and what it may send it may say', async (t) => {
  const limited = loaded(limits, { address: { pipes: 2, bytesPerTransfer: 1024 } })
  const gateway = await startGateway(t, {}, { plugins: [limited] })
  const one = new WebSocket(gateway.url('d?ws').replace(/^http/, 'ws'))
  const another = new WebSocket(gateway.url('d?ws').replace(/^http/, 'ws'))
  t.teardown(() => {
    one.terminate()
    another.terminate()
  })
  await Promise.all([once(one, 'open'), once(another, 'open')])
  await peers(gateway, 2, 'd')
  t.match(await handshake(t, gateway, 'e?ws'), /^429 LIMITS_/)
  one.send('x'.repeat(600))
  another.send('y'.repeat(600))
  await Promise.all([once(one, 'message'), once(another, 'message')])
  const closed = once(one, 'close')
  one.send('x'.repeat(600))
  const [code, reason] = await closed
  t.same([code, String(reason)], [1009, 'A peer has sent more than it may.'])
})
