/** The port that redirects to HTTPS. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Answer } from '../../../gateway/http/response/answer.js'
import type { Exchange } from '../../../gateway/router/exchange.js'
import { redirect } from '../../../gateway/serve/ports/redirect.js'
import { curl, curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'
import { runProgram } from '../../support/program.js'
import { connect as connectRaw } from '../../support/raw.js'
import { argsFor, first, flagsFor, logged, store, wild } from '../tls/certificates.js'

t.jobs = 2

/** Starts a gateway with a port that redirects, and resolves with both. */
async function startRedirecting(t: Test) {
  const gateway = await startGateway(t, { ...flagsFor(first), redirectPort: '0' })
  const { from } = await logged(gateway, 'redirecting to HTTPS')
  return { ...gateway, from: from as number, plain: `http://127.0.0.1:${from}` }
}

t.test('the other port answers every request with its address over HTTPS', async (t) => {
  const { plain, origin, port, lines } = await startRedirecting(t)
  // More than uWebSockets corks at once.
  const long = `/${'long/'.repeat(3000)}`
  for (const target of [
    '/',
    '/a%20b/c?n=2&x=%zz+%2f',
    '/health',
    '//elsewhere.example/x',
    "/'(%C3%A9)'?",
    '/?a?b',
    long,
  ]) {
    const { stdout } = await curlDone(['-i', '--path-as-is', plain + target])
    // An empty query is no query.
    const location = origin + target.replace(/\?$/, '')
    t.match(stdout.toString(), /^HTTP\/1.1 308 Permanent Redirect\r\n/)
    t.ok(stdout.includes(`\r\nLocation: ${location}\r\n`), `${target}: ${stdout}`)
    t.ok(stdout.toString().endsWith(`\r\n\r\n[ERROR] Only HTTPS here: use ${location} (curl follows with -L).\n`))
  }
  for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'BREW']) {
    const how = method === 'HEAD' ? ['-I'] : ['-X', method]
    t.match((await curlDone(['-i', ...how, `${plain}/x`])).stdout.toString(), /^HTTP\/1\.1 308 /, method)
  }
  const raw = await connectRaw({ port: Number(new URL(plain).port) })
  await raw.send('GET /\xc3\xa9"x?\xc3\xa9 HTTP/1.1\r\nHost: Some-Name.example:80\r\n\r\n')
  const { headers } = await raw.waitForResponse()
  t.same(headers.location, [`https://Some-Name.example:${port}/%C3%A9"x?%C3%A9`])
  raw.destroy()
  t.match(lines.filter(({ msg }) => msg === 'request')[0], { status: 308, path: '/', remoteAddress: '127.0.0.1' })
})

t.test('an invalid Host is not repeated in a header', async (t) => {
  const { from } = await startRedirecting(t)
  const ask = async (host: string) => {
    const raw = await connectRaw({ port: from })
    await raw.send(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const { status, headers, body } = await raw.waitForResponse()
    raw.destroy()
    return { status, code: headers['x-pipe-code']?.[0], location: headers.location?.[0], body: body.toString() }
  }
  for (const host of [
    'a/b',
    'a@b',
    'user:x@b',
    'a b',
    'a:b',
    'a:123456',
    '[::1',
    '::1',
    'a?b',
    'a\xe9b',
    'a#b',
    'a\\b',
    '"a"',
    '%61',
  ]) {
    const { status, code, location, body } = await ask(host)
    t.same([status, code, location], [400, 'BAD_HOST', undefined], host)
    t.match(body, /^\[ERROR\] The Host header is ".*"\. Send a host name or an address, and perhaps a port\.\n$/)
  }
  for (const host of ['[::1]:8080', '[::1]', '127.0.0.1', 'a_b.example', 'a.example.:80', 'A:']) {
    const { status, location } = await ask(host)
    t.equal(status, 308, host)
    t.ok(
      location?.startsWith(`https://${host.replace(/:\d*$/, (port) => (host === '[::1]' ? port : ''))}:`),
      `${host}: ${location}`,
    )
  }
})

t.test('on an address that others reach it leads to hosts that are set, or to names in the certificates', async (t) => {
  const shared = { ...flagsFor(first, wild), host: '0.0.0.0', redirectPort: '0' }
  const [open, set, all] = await Promise.all(
    ['', 'pipe.example', '*'].map(async (hosts) => {
      const gateway = await startGateway(t, { ...shared, hosts })
      return (await logged(gateway, 'redirecting to HTTPS')).from as number
    }),
  )
  const ask = async (port: number | undefined, host: string) => {
    const { stdout } = await curlDone(['-i', '-H', `Host: ${host}`, `http://127.0.0.1:${port}/x`])
    return stdout.toString().split(' ')[1]
  }
  for (const [host, ...expected] of [
    ['first.test', '308', '421', '308'],
    ['FIRST.test:80', '308', '421', '308'],
    ['a.wild.test', '308', '421', '308'],
    ['a.b.wild.test', '421', '421', '308'],
    ['evil.example', '421', '421', '308'],
    ['pipe.example', '421', '308', '308'],
    ['127.0.0.1', '308', '308', '308'],
    ['192.0.2.7', '308', '421', '308'],
    ['[2001:db8::1]', '308', '421', '308'],
  ] as const) {
    t.same([await ask(open, host), await ask(set, host), await ask(all, host)], expected, host)
  }
})

t.test('HTTPS on port 443 needs no port in an address', async (t) => {
  const said: Answer[] = []
  const request = { path: '/a', query: '', header: () => 'x.example:80', eachHeader() {} }
  redirect({ request, framing: { length: 0 }, answer: (answer: Answer) => said.push(answer) } as unknown as Exchange, {
    port: 443,
    unserved: () => undefined,
  })
  t.match(said, [
    {
      status: 308,
      headers: [['Content-Type', /text/], ['Cache-Control', 'no-store'], [], [], ['Location', 'https://x.example/a']],
    },
  ])
})

t.test('curl -L follows with its upload', async (t) => {
  const { plain, url } = await startRedirecting(t)
  const body = join(store, 'upload')
  execFileSync('sh', ['-c', `head -c 20000000 /dev/urandom > ${body}`])
  for (const expect of [[], ['-H', 'Expect:']]) {
    const receiver = curl(['-k', url('up')])
    const sender = await curlDone(['-k', '-L', '-T', body, `${plain}/api/v1/pipe/up`, ...expect])
    t.match(sender, { code: 0, stdout: /Transfer complete\.\n$/ })
    t.ok((await receiver.result).stdout.equals(readFileSync(body)))
  }
  // What it has read from a pipe it cannot read again. It may have read nothing yet, and sends all then; never a part.
  const receiver = curl(['-k', url('up')])
  const piped = await curl(['-k', '-L', '-T', '-', `${plain}/api/v1/pipe/up`], { input: 'from a pipe' }).result
  if (piped.code === 0) t.equal((await receiver.result).stdout.toString(), 'from a pipe')
  else t.match(piped, { code: 65, stderr: /rewind/ })
  receiver.kill()
  // Without -L it is told where to.
  const { code, stdout } = await curlDone(['-T', body, `${plain}/api/v1/pipe/up`])
  t.equal(code, 0)
  t.match(stdout.toString(), /^\[ERROR\] Only HTTPS here: use https:\S+\/up /)
})

t.test('a busy port, or one without HTTPS: one line, and nothing is left open', async (t) => {
  const { from } = await startRedirecting(t)
  const flags = ['--port', '0', '--redirect-port', `${from}`]
  const busy = await runProgram(t, ['serve', ...flags, ...argsFor(first)])
  t.equal(busy.code, 1)
  t.match(
    busy.stderr,
    /^pipegate: cannot listen on 127\.0\.0\.1 port \d+: the port is in use; .*choose another with --redirect-port\n$/,
  )
  t.match(await runProgram(t, ['serve', ...flags]), {
    code: 1,
    stderr:
      'pipegate: configuration: --redirect-port: found redirectPort without tlsCert, expected tlsCert and tlsKey as well\n',
  })
})

t.test('when the gateway drains, its other port is closed too', async (t) => {
  const { gateway, plain, url, holds } = await startRedirecting(t)
  const receiver = curl(['-k', url('last')])
  const sender = curl(['-k', '-T', '.', url('last')])
  await holds(0, 1)
  const stopped = gateway.stop()
  t.equal((await curlDone([plain])).code, 7, 'refused')
  sender.stdin.end('whole')
  await stopped
  t.equal((await receiver.result).stdout.toString(), 'whole')
})
