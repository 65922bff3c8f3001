/** Which certificates of clients count, and what plugins are told of them. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { Authority, moment } from '../../support/authority.js'
import { startGateway } from '../../support/gateway.js'
import { runProgram } from '../../support/program.js'
import { logged } from './certificates.js'
import { ask, ca, clientFlags, fileWith, folder, otherCa, startWho } from './clients.js'

t.jobs = 3

const DAY = 86_400_000
const anna = ca.issue({
  name: 'anna',
  subject: '/O=Example, Inc./CN=anna',
  names: 'DNS:anna.example.org,URI:spiffe://example.org/anna,email:anna@example.org,IP:192.0.2.1',
})
const stranger = otherCa.issue({ name: 'stranger' })
const old = ca.issue({ name: 'old', dates: ['20200101000000Z', '20210101000000Z'] })
const future = ca.issue({ name: 'future', dates: [moment(Date.now() + DAY), moment(Date.now() + 2 * DAY)] })
const forServers = ca.issue({ name: 'for-servers', extensions: ['extendedKeyUsage=serverAuth'] })
const forClients = ca.issue({ name: 'for-clients', extensions: ['extendedKeyUsage=clientAuth'] })
const between = new Authority(folder, 'between', ca)
const below = between.issue({ name: 'below' })
const chain = { cert: fileWith(readFileSync(below.cert, 'utf8') + between.pem), key: below.key }

t.test('which certificates count', async (t) => {
  const required = await startWho(t, 'required')
  const optional = await startWho(t, 'optional')
  for (const [what, shown, found] of [
    ['good', anna, ''],
    ['for clients', forClients, ''],
    ['with one between', chain, ''],
    ['without the one between', below, 'unable to get local issuer certificate'],
    ['of another authority', stranger, 'unable to get local issuer certificate'],
    ['expired', old, 'certificate has expired'],
    ['of tomorrow', future, 'certificate is not yet valid'],
    ['for servers', forServers, 'unsuitable certificate purpose'],
  ] as const) {
    for (const gateway of [required, optional]) {
      const said = await ask(gateway.url('who'), shown)
      if (found === '') t.match(said, { status: 200, text: /"fingerprint":"[0-9a-f]{64}"/ }, what)
      else t.match(said, { status: 403, code: 'BAD_CLIENT_CERTIFICATE', text: found }, what)
    }
  }
  t.match(await ask(required.url('who')), { status: 403, code: 'NO_CLIENT_CERTIFICATE', text: /with curl: --cert/ })
  t.match(await ask(optional.url('who')), { status: 200, text: /^null/ })
})
