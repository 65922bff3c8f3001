/** `pipegate health`: what it asks is what runs with the same configuration. The image's test runs the command itself. */
import { createServer } from 'node:http'
import t from 'tap'
import { askHealth } from '../../../gateway/commands/health.js'
import { loadConfig } from '../../../gateway/config/config.js'
import { makeCertificate } from '../../support/certificate.js'
import { freePort } from '../../support/free-port.js'
import { startGateway } from '../../support/gateway.js'

t.test('over TLS, under another prefix, without one, and on every address', async (t) => {
  const { cert, key } = makeCertificate(t.testdir({}))
  for (const flags of [
    {},
    { tlsCert: cert, tlsKey: key },
    { prefix: '/elsewhere' },
    { prefix: 'off' },
    { host: '::' },
  ]) {
    const { gateway, port } = await startGateway(t, flags)
    const { ok, text } = await askHealth({ ...gateway.config, port })
    t.ok(ok, `${JSON.stringify(flags)}: ${text}`)
    t.match(text, 'prefix' in flags && flags.prefix === 'off' ? /^pipegate: / : /^{"status":"ok",/)
  }
})

t.test('no answer, and one that is no good', async (t) => {
  const config = loadConfig({ flags: { port: `${await freePort()}` }, env: {} })
  const nobody = await askHealth(config)
  t.notOk(nobody.ok)
  t.match(nobody.text, /^no answer from http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/)
  const drains = createServer((_request, response) => response.writeHead(503).end('{"status":"draining"}'))
  await new Promise<void>((resolve) => drains.listen(config.port, config.host, resolve))
  t.teardown(() => drains.close())
  t.same(await askHealth(config), { ok: false, text: '{"status":"draining"}' })
})
