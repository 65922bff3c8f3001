/** Who may send may ask, who may receive may take questions and answer them, and nobody answers for another project. */
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import { linksPlugin } from '../../../plugins/links/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'

const [OWNER, SENDER, RECEIVER, OTHER] = [newToken(), newToken(), newToken(), newToken()]
const loaded = (plugin: unknown, config: object): LoadedPlugin => ({ plugin: plugin as Plugin, config })
const bearer = loaded(authBearer, {
  tokens: [
    { name: 'owner', project: 'one', hash: OWNER.hash },
    { name: 'sender', project: 'one', hash: SENDER.hash, rights: ['send'] },
    { name: 'receiver', project: 'one', hash: RECEIVER.hash, rights: ['receive'] },
    { name: 'other', project: 'two', hash: OTHER.hash },
  ],
})
const auth = ({ token }: { readonly token: string }) => ['-H', `Authorization: Bearer ${token}`]
const CODE = ['-s', '-o', '/dev/null', '-w', '%{http_code}']
const addressIn = (head: Buffer) => /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(head.toString())?.[1] ?? ''

t.test('asking needs send, taking and answering need receive, in the same project', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [bearer] })
  const codeOf = async (...args: string[]) => (await curlDone([...CODE, ...args], { input: 'x' })).stdout.toString()
  t.equal(await codeOf(gateway.url('q?ask')), '401')
  t.equal(await codeOf(...auth(RECEIVER), gateway.url('q?ask')), '403')
  t.equal(await codeOf(...auth(SENDER), gateway.url('q?serve')), '403')
  t.equal(gateway.gateway.table.get('one q'), undefined, 'none of them took a place')
  const asker = curl(['-s', ...auth(SENDER), gateway.url('q?ask')])
  const address = addressIn((await curlDone(['-si', ...auth(RECEIVER), gateway.url('q?serve')])).stdout)
  t.equal(await codeOf('-T', '-', address), '401')
  t.equal(await codeOf('-T', '-', ...auth(SENDER), address), '403')
  t.equal(await codeOf('-T', '-', ...auth(OTHER), address), '404')
  t.equal(await codeOf('-X', 'POST', '-d', 'x', ...auth(OTHER), address.replace('answer', 'serve&answer')), '404')
  t.equal(await codeOf('-T', '-', ...auth(RECEIVER), address), '200')
  t.equal((await asker.result).stdout.toString(), 'x')
})

t.test('a worker with a signed link answers by the address as it is', async (t) => {
  const links = loaded(linksPlugin(), { secret: 'a secret that is long enough for all of it' })
  const gateway = await startGateway(t, {}, { plugins: [bearer, links] })
  const made = (await curlDone(['-s', ...auth(OWNER), gateway.url('q?link=receive')])).stdout.toString().trim()
  const sig = new URL(made).searchParams.get('sig')
  const asker = curl(['-s', ...auth(SENDER), gateway.url('q?ask')])
  const address = addressIn((await curlDone(['-si', gateway.url(`q?serve&sig=${sig}`)])).stdout)
  const told = await curlDone(['-s', '-T', '-', address], { input: 'by link' })
  t.match(told.stdout.toString(), /Transfer complete\.\n$/)
  t.equal((await asker.result).stdout.toString(), 'by link')
})
