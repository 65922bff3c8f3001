/** Who may send may send to a queue, and who may receive may take from it; and what limits count. */
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import limits from '../../../plugins/limits/index.js'
import { linksPlugin } from '../../../plugins/links/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'

const SECRET = 'a secret that is long enough for all of it'
const [OWNER, SENDER, RECEIVER, LOOKER] = [newToken(), newToken(), newToken(), newToken()]
const loaded = (plugin: unknown, config: object): LoadedPlugin => ({ plugin: plugin as Plugin, config })
const bearer = loaded(authBearer, {
  tokens: [
    { name: 'owner', project: 'one', hash: OWNER.hash },
    { name: 'sender', project: 'one', hash: SENDER.hash, rights: ['send'] },
    { name: 'receiver', project: 'one', hash: RECEIVER.hash, rights: ['receive'] },
    { name: 'looker', project: 'one', hash: LOOKER.hash, rights: ['watch'] },
  ],
})
const auth = ({ token }: { readonly token: string }) => ['-H', `Authorization: Bearer ${token}`]

async function codeOf(gateway: Running, target: string, ...args: string[]): Promise<string> {
  const all = ['-o', '/dev/null', '-w', '%{http_code}', ...args, gateway.url(target)]
  return (await curlDone(all, { input: 'x' })).stdout.toString()
}

const waits = (gateway: Running, receivers: number) =>
  eventually(() => gateway.gateway.table.get('one q')?.queue?.receivers === receivers || 'not yet')

t.test('send, receive and watch mean what they mean for pipes', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer] })
  for (const [args, upload, status] of [
    [[], false, '401'],
    [[], true, '401'],
    [auth(SENDER), false, '403'],
    [auth(LOOKER), false, '403'],
    [auth(RECEIVER), true, '403'],
    [auth(LOOKER), true, '403'],
  ] as const) {
    t.equal(await codeOf(gateway, 'q?queue', ...args, ...(upload ? ['-T', '-'] : [])), status)
  }
  t.equal(gateway.gateway.table.get('one q'), undefined, 'none of them took a place')
  const worker = curl(['-N', ...auth(RECEIVER), gateway.url('q?queue')])
  await waits(gateway, 1)
  t.equal(await codeOf(gateway, 'q?queue&reply=end', ...auth(SENDER), '-T', '-'), '200')
  t.equal((await worker.result).stdout.toString(), 'x')
})

t.test('a link to receive takes from a queue, and one to watch does not', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer, loaded(linksPlugin(), { secret: SECRET })] })
  const linked = async (right: string) => {
    const made = await curlDone([...auth(OWNER), gateway.url(`q?link=${right}`)])
    return `sig=${new URL(made.stdout.toString().trim()).searchParams.get('sig')}`
  }
  t.equal(await codeOf(gateway, `q?queue&${await linked('watch')}`), '403')
  const worker = curl([gateway.url(`q?queue&${await linked('receive')}`)])
  await waits(gateway, 1)
  t.equal(await codeOf(gateway, 'q?queue&reply=end', ...auth(SENDER), '-T', '-'), '200')
  t.equal((await worker.result).stdout.toString(), 'x')
})

t.test('limits: bytes of a transfer by either side, and how many wait at once', async (t) => {
  const config = { token: { pipes: 2, bytesPerTransfer: 20 } }
  const gateway = await startGateway(t, {}, { plugins: [bearer, loaded(limits, config)] })
  const workers = [curl(['-N', ...auth(RECEIVER), gateway.url('q?queue')])]
  await waits(gateway, 1)
  workers.push(curl(['-N', ...auth(RECEIVER), gateway.url('q?queue')]))
  await waits(gateway, 2)
  t.equal(await codeOf(gateway, 'q?queue', ...auth(RECEIVER)), '429')
  const sender = curl(['-T', '.', ...auth(SENDER), gateway.url('q?queue')])
  sender.stdin.write('within what it may')
  await workers[0]!.waitFor('within what it may')
  sender.stdin.end(', and beyond')
  t.equal(await gateway.ended('one q'), 'too_large')
  t.equal((await workers[0]!.result).code, 18)
  await waits(gateway, 1)
  workers[1]!.kill()
})
