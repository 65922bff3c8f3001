/** A certificate that expires while it is served. */
import t from 'tap'
import { startProgram } from '../../support/program.js'
import { argsFor, make, shown } from './certificates.js'

/** As openssl writes it. */
const stamp = (ms: number) => `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`

t.test('it is served further, for clients are the ones to judge, and the log says so once', async (t) => {
  const now = Date.now()
  const short = make('short', 'DNS:localhost', [stamp(now - 60_000), stamp(now + 5000)])
  const program = await startProgram(t, argsFor(short))
  t.match(await program.waitForLog('a certificate will soon expire'), { level: 40, cert: short.cert })
  t.equal(await shown(program.port), 'short')
  t.match(await program.waitForLog('a certificate has expired'), { level: 40, cert: short.cert })
  t.equal(await shown(program.port), 'short')
  await t.rejects(shown(program.port, 'localhost', { rejectUnauthorized: true, ca: [] }))
  // The check behind the next one.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  t.equal(program.logged('a certificate has expired').length, 1)
})
