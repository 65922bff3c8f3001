/** Certificates of clients that stop to count: revoked, expired, resumed, and while a connection lives. */

import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Authority, moment } from '../../support/authority.js'
import { ask, ca, clientFlags, fileWith, folder, Kept, startWho } from '../../support/client-certificates.js'
import { eventually } from '../../support/eventually.js'
import { startProgram } from '../../support/program.js'
import { logged } from './certificates.js'

t.jobs = 4

const RELOADED = 'certificates reloaded'
const KEPT = 'certificates not reloaded: those from before stay'
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
const only = (version: (typeof VERSIONS)[number]) => ({ minVersion: version, maxVersion: version })

/** The ticket of a connection over which something has been said. */
async function ticketOf(kept: Kept): Promise<Buffer> {
  await kept.name()
  await eventually(() => kept.session !== undefined || 'no ticket')
  return kept.session!
}

t.test('a session is resumed with its certificate, in both versions', async (t) => {
  const { port } = await startWho(t, 'required')
  const anna = ca.issue({ name: 'resumes' })
  for (const version of VERSIONS) {
    const first = await Kept.open(t, port, anna, only(version))
    const session = await ticketOf(first)
    // Nothing but the ticket says who it is.
    const second = await Kept.open(t, port, undefined, { ...only(version), session })
    t.same([second.socket.isSessionReused(), await second.name()], [true, 'resumes'], version)
    // Before 1.3 there is no new one.
    const next = version === 'TLSv1.2' ? session : await ticketOf(second)
    const third = await Kept.open(t, port, undefined, { ...only(version), session: next })
    t.same([third.socket.isSessionReused(), await third.name()], [true, 'resumes'], version)
  }
})

t.test('what was refused is not resumed, and who has shown nothing may show something', async (t) => {
  const { port } = await startWho(t, 'required')
  const unknown = new Authority(folder, 'unknown').issue({ name: 'guest' })
  for (const version of VERSIONS) {
    for (const shown of [unknown, undefined]) {
      const first = await Kept.open(t, port, shown, only(version))
      t.equal((await first.ask()).status, 403)
      if (first.session === undefined) continue
      const again = await Kept.open(t, port, shown, { ...only(version), session: first.session })
      t.same([again.socket.isSessionReused(), (await again.ask()).status], [false, 403], version)
    }
  }
})

t.test('revoked, and forgiven again: for connections, tickets and requests from then on', async (t) => {
  const own = new Authority(folder, 'revoking')
  const [anna, bert] = [own.issue({ name: 'anna' }), own.issue({ name: 'bert' })]
  const list = fileWith(own.list())
  const gateway = await startWho(t, 'required', { tlsClientCa: own.cert, tlsClientCrl: list })
  const { port } = gateway
  const before = await Promise.all(VERSIONS.map((version) => Kept.open(t, port, anna, only(version))))
  const other = await Kept.open(t, port, bert)
  const tickets = await Promise.all(before.map(ticketOf))
  t.equal(await other.name(), 'bert')

  own.revoke(anna)
  writeFileSync(list, own.list())
  gateway.gateway.reload()
  t.match(await ask(gateway.url('who'), anna), { status: 403, text: /does not count: certificate revoked\./ })
  for (const [i, kept] of before.entries()) {
    t.match(await kept.ask(), { status: 403, body: /certificate revoked/ }, 'a connection that was open before')
    const again = await Kept.open(t, port, anna, { ...only(VERSIONS[i]!), session: tickets[i]! })
    t.same([again.socket.isSessionReused(), (await again.ask()).status], [false, 403])
    await eventually(() => kept.isOver || 'it is kept')
  }
  t.same([await other.name(), (await ask(gateway.url('who'), bert)).status], ['bert', 200], 'nobody else is concerned')

  own.forgive()
  writeFileSync(list, own.list())
  await logged(gateway, RELOADED, 2)
  t.equal((await ask(gateway.url('who'), anna)).status, 200)
})

t.test('several threads: revoked in all of them', async (t) => {
  const own = new Authority(folder, 'threaded')
  const anna = own.issue({ name: 'anna' })
  const list = fileWith(own.list())
  const flags = clientFlags('required', { tlsClientCa: own.cert, tlsClientCrl: list }) as Record<string, string>
  const settings = Object.entries(flags).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
  const program = await startProgram(t, ['--threads', '2', '--config', fileWith(settings.join(''))])
  const all = await Promise.all([...'abcd'].map(() => Kept.open(t, program.port, anna)))
  for (const kept of all) for (const name of 'abcd') t.equal((await kept.ask(`${name}?status`)).status, 200)
  own.revoke(anna)
  writeFileSync(list, own.list())
  program.kill('SIGHUP')
  await program.waitForLog(RELOADED)
  for (const [i, kept] of all.entries())
    t.match(await kept.ask(`${'abcd'[i]}?status`), { status: 403, body: /revoked/ })
})

t.test('of an authority between as well: what it has revoked, and itself', async (t) => {
  const top = new Authority(folder, 'top')
  const middle = new Authority(folder, 'middle', top)
  const [below, chained] = [middle.issue({ name: 'below' }), middle.issue({ name: 'chained' })]
  const list = fileWith(top.list() + middle.list())
  const gateway = await startWho(t, 'required', { tlsClientCa: fileWith(top.pem + middle.pem), tlsClientCrl: list })
  t.match(await ask(gateway.url('who'), below), { status: 200, text: '{' })
  middle.revoke(below)
  writeFileSync(list, top.list() + middle.list())
  gateway.gateway.reload()
  t.match(await ask(gateway.url('who'), below), { status: 403, text: /certificate revoked/ })
  t.equal((await ask(gateway.url('who'), chained)).status, 200)
  top.revoke(middle)
  writeFileSync(list, top.list() + middle.list())
  gateway.gateway.reload()
  t.match(await ask(gateway.url('who'), chained), { status: 403, text: /certificate revoked/ })
})

t.test('a list that is too old: nobody is let in, and a new one is found without a signal', async (t) => {
  const own = new Authority(folder, 'late')
  const anna = own.issue({ name: 'anna' })
  const list = fileWith(own.list('20210101000000Z'))
  const gateway = await startWho(t, 'optional', { tlsClientCa: own.cert, tlsClientCrl: list })
  t.match(await ask(gateway.url('who'), anna), { status: 403, text: /CRL has expired/ })
  t.equal((await ask(gateway.url('who'))).status, 200)
  t.match(await logged(gateway, 'a list of revoked certificates has expired'), {
    crl: list,
    validTo: /^2021-01-01T00:00:00/,
  })
  // One that gets too old while a connection lives, and there is another one by then.
  const end = Date.now() + 3000
  writeFileSync(list, own.list(moment(end)))
  await logged(gateway, RELOADED)
  await logged(gateway, 'a list of revoked certificates will soon expire')
  const kept = await Kept.open(t, gateway.port, anna)
  t.equal(await kept.name(), 'anna')
  await eventually(() => Date.now() > end + 1000 || 'not yet')
  t.match(await kept.ask(), { status: 403, body: /CRL has expired/ })
  writeFileSync(list, own.list())
  await logged(gateway, RELOADED, 2)
  t.equal((await ask(gateway.url('who'), anna)).status, 200)
})

t.test('a certificate that expires while its connection lives', async (t) => {
  const { port } = await startWho(t, 'required')
  const end = Date.now() + 3000
  const anna = ca.issue({ name: 'brief', dates: ['20200101000000Z', moment(end)] })
  const all = await Promise.all(VERSIONS.map((version) => Kept.open(t, port, anna, only(version))))
  const tickets = await Promise.all(all.map(ticketOf))
  await eventually(() => Date.now() > end + 1000 || 'not yet')
  for (const [i, kept] of all.entries()) {
    t.match(await kept.ask(), { status: 403, body: /certificate has expired/ })
    const again = await Kept.open(t, port, undefined, { ...only(VERSIONS[i]!), session: tickets[i]! })
    t.same([again.socket.isSessionReused(), (await again.ask()).status], [false, 403])
  }
})

t.test('an authority between that expires before the certificate, and its ticket', async (t) => {
  const end = Date.now() + 3000
  const brief = new Authority(folder, 'brief-between', ca, ['20200101000000Z', moment(end)])
  const below = brief.issue({ name: 'long' })
  const chain = { cert: fileWith(brief.pemOf(below) + brief.pem), key: below.key }
  const { port } = await startWho(t, 'required')
  const all = await Promise.all(VERSIONS.map((version) => Kept.open(t, port, chain, only(version))))
  const tickets = await Promise.all(all.map(ticketOf))
  await eventually(() => Date.now() > end + 1000 || 'not yet')
  for (const [i, kept] of all.entries()) {
    t.match(await kept.ask(), { status: 403, body: /certificate has expired/ })
    const again = await Kept.open(t, port, chain, { ...only(VERSIONS[i]!), session: tickets[i]! })
    t.same([again.socket.isSessionReused(), (await again.ask()).status], [false, 403])
  }
})

t.test('files that are broken, or gone, while it runs: those from before stay', async (t) => {
  const own = new Authority(folder, 'kept')
  const [anna, bert] = [own.issue({ name: 'anna' }), own.issue({ name: 'bert' })]
  own.revoke(bert)
  const [authorities, list] = [fileWith(own.pem), fileWith(own.list())]
  const gateway = await startWho(t, 'required', { tlsClientCa: authorities, tlsClientCrl: list })
  const problems = () => gateway.lines.filter(({ msg }) => msg === KEPT).map(({ problem }) => problem)
  const goesOn = async (what: string) => {
    t.equal((await ask(gateway.url('who'), anna)).status, 200, what)
    t.match(await ask(gateway.url('who'), bert), { status: 403, text: /certificate revoked/ }, what)
  }
  writeFileSync(list, 'garbage')
  await eventually(() => problems().length === 1 || 'no line')
  await goesOn('garbage for a list')
  writeFileSync(list, own.list().slice(0, 150))
  await eventually(() => problems().length === 2 || 'no line')
  await goesOn('half a list')
  rmSync(authorities)
  await eventually(() => problems().length === 3 || 'no line')
  await goesOn('no authorities')
  writeFileSync(authorities, own.pem)
  writeFileSync(list, ca.list())
  await eventually(() => problems().length === 4 || 'no line')
  await goesOn("another authority's list")
  t.match(problems(), [
    /some\.pem has no revocation list/,
    /tlsClientCrl has a list that cannot be read/,
    /ENOENT.*some\.pem/,
    /tlsClientCrl has a list by CN = ca, which/,
  ])
})

t.test('an authority that is taken out of the file: its clients, also those that are connected', async (t) => {
  const [one, two] = [new Authority(folder, 'stays'), new Authority(folder, 'goes')]
  const [anna, bert] = [one.issue({ name: 'anna' }), two.issue({ name: 'bert' })]
  const file = fileWith(one.pem + two.pem)
  const gateway = await startWho(t, 'required', { tlsClientCa: file })
  const [a, b] = [await Kept.open(t, gateway.port, anna), await Kept.open(t, gateway.port, bert)]
  t.same([await a.name(), await b.name()], ['anna', 'bert'])
  writeFileSync(file, one.pem)
  gateway.gateway.reload()
  t.equal(await a.name(), 'anna')
  t.match(await b.ask(), { status: 403, body: /unable to get local issuer certificate/ })
})
