/** `pipegate doctor`: which pages may use a gateway, and whether it answers to the name that the user gave. */
import t, { type Test } from 'tap'
import { Chain } from '../../../client/doctor/chain.js'
import { pages } from '../../../client/doctor/checks/pages.js'
import { reach } from '../../../client/doctor/checks/reach.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import bearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import cors from '../../../plugins/cors/index.js'
import progress from '../../../plugins/progress/index.js'
import { startGateway } from '../../support/gateway.js'

const APP = 'https://app.example.org'
const TOKEN = newToken()

/** What the doctor finds at a gateway with this list. */
async function found(t: Test, origins: readonly string[] | undefined, asks: boolean, origin?: string) {
  const tokens = [{ name: 'me', hash: TOKEN.hash }]
  const plugins = [
    { plugin: cors as unknown as Plugin, config: origins === undefined ? {} : { origins } },
    { plugin: progress as unknown as Plugin },
    ...(asks ? [{ plugin: bearer as unknown as Plugin, config: { tokens } }] : []),
  ]
  const gw = await startGateway(t, { hosts: '' }, { plugins })
  const headers: Record<string, string> = asks ? { authorization: `Bearer ${TOKEN.token}` } : {}
  const chain = new Chain({ url: new URL(gw.origin), headers, origin })
  return pages.run(chain, { silenceMs: 0 }).finally(() => chain.close())
}

t.test('without --origin: whether a stranger is let in', async (t) => {
  const kept = await found(t, undefined, false)
  t.match(kept, { verdict: 'ok', seen: /^pages of other origins may not/, measured: { origin: null, allowed: false } })
  t.match(await found(t, [APP], false), { verdict: 'ok', measured: { allowed: false } })
  const open = await found(t, ['*'], false)
  t.match(open, { verdict: 'warn', seen: /^pages of every origin may/, mend: { pipegate: /cors\.origins/ } })
  t.match(await found(t, undefined, true), { verdict: 'ok', seen: /with credentials/, measured: { allowed: true } })
})

t.test('with --origin: whether its pages are, and the line that lets them in', async (t) => {
  t.match(await found(t, [APP], false, APP), { verdict: 'ok', seen: `pages of ${APP} may send, receive and watch` })
  t.match(await found(t, ['*'], false, APP), { verdict: 'ok' })
  t.match(await found(t, undefined, true, APP), { verdict: 'ok' })
  t.match(await found(t, undefined, false, APP), {
    verdict: 'fail',
    seen: `pages of ${APP} may not: 403 CROSS_SITE`,
    mend: { pipegate: `plugins: [{ plugin: cors, config: { origins: ['${APP}'] } }]` },
  })
  t.match(await found(t, ['https://other.example.org'], true, APP), {
    verdict: 'fail',
    seen: /no Access-Control-Allow-Origin/,
  })
})

t.test('a host that the gateway does not answer to', async (t) => {
  const gw = await startGateway(t, { hosts: '' })
  const chain = new Chain({ url: new URL(gw.origin), headers: { host: 'pipe.example.org' } })
  const result = await reach.run(chain, { silenceMs: 0 }).finally(() => chain.close())
  t.match(result, {
    verdict: 'fail',
    seen: 'the gateway does not answer to this host (421)',
    mend: { pipegate: /^hosts: / },
  })
})
