/** send, receive, watch and doctor at a gateway that asks for certificates. */

import t from 'tap'
import { sharedCertificate } from '../../support/certificate.js'
import { ask, ca, clientFlags } from '../../support/client-certificates.js'
import { defaultPlugins, startGateway } from '../../support/gateway.js'
import { runProgram } from '../../support/program.js'

const anna = ca.issue({ name: 'anna' })
const trust = ['--cacert', sharedCertificate().cert]
const show = [...trust, '--cert', anna.cert, '--key', anna.key]

t.test('with a certificate, and without', async (t) => {
  const gateway = await startGateway(t, clientFlags('required'), { tls: true, plugins: await defaultPlugins() })
  const url = gateway.url('papers')
  const [sent, received] = await Promise.all([
    runProgram(t, ['send', '-q', '-t', 'for the file', '--name', url, ...show]),
    runProgram(t, ['receive', '-q', url, ...show, '-o', '-']),
  ])
  t.same([sent.code, received.code, received.stdout], [0, 0, 'for the file'])
  t.match(await runProgram(t, ['watch', '-q', '--last', url, ...show]), { code: 0, stdout: /^complete/ })
  t.match(await runProgram(t, ['doctor', '--silence', '1', '--json', gateway.url(''), ...show]), { code: 0 })
  for (const command of [
    ['send', '-t', 'x', '--name', url],
    ['receive', url],
    ['watch', url],
  ]) {
    const { code, stdout, stderr } = await runProgram(t, [...command, ...trust])
    t.match(`${stdout}${stderr}`, 'This gateway asks clients for a certificate, and none was shown')
    t.not(code, 0)
  }
  t.equal((await ask(gateway.url('x'), undefined)).code, 'NO_CLIENT_CERTIFICATE')
})
