/** Which hosts are served, and what of a request says that a page of another origin makes it: with curl, and the program's defaults. */
import t, { type Test } from 'tap'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import { HostRule, hostOf, isLoopbackAddress } from '../../../gateway/http/hosts.js'
import bearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import cors from '../../../plugins/cors/index.js'
import links from '../../../plugins/links/index.js'
import progress from '../../../plugins/progress/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'

/** Status and code of the answer to a curl with these headers. */
async function ask(url: string, ...headers: string[]): Promise<string> {
  const wanted = ['-o', '/dev/null', '-w', '%{http_code} %header{x-pipe-code}']
  const { stdout } = await curlDone([...wanted, '-m', '10', ...headers.flatMap((each) => ['-H', each]), url])
  return stdout.toString().trim()
}

const UNKNOWN = '421 UNKNOWN_HOST'
const FOREIGN = '403 CROSS_SITE'

t.test('on a loopback address: loopback names, and those that are set', async (t) => {
  const gw = await startGateway(t, { hosts: '' }, { plugins: await defaultPlugins() })
  const set = await startGateway(t, { hosts: 'Pipe.example,*.example.net,192.0.2.7,fd00::1' })
  const all = await startGateway(t, { hosts: '*' })
  const of = async (host: string) =>
    Promise.all([gw, set, all].map(async (each) => (await ask(`${each.origin}/version`, `Host: ${host}`)).slice(0, 3)))
  for (const host of [
    'localhost',
    'LOCALHOST:1',
    'localhost.',
    'a.b.localhost:80',
    '127.0.0.1',
    '127.9.9.9:8080',
    '[::1]:1',
  ]) {
    t.same(await of(host), ['200', '200', '200'], host)
  }
  for (const host of [
    'pipe.example',
    'PIPE.EXAMPLE.:8080',
    'a.example.net',
    'a.b.example.net',
    '192.0.2.7',
    '[fd00::1]:80',
  ]) {
    t.same(await of(host), ['421', '200', '200'], host)
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    'evillocalhost',
    '127.0.0.1.evil.example',
    '127.1.evil',
    '127.0.0.256',
    '0.0.0.0',
    'example.net',
    'evilexample.net',
    'x.pipe.example',
    '192.0.2.8',
    '[::2]',
  ]) {
    t.same(await of(host), ['421', '421', '200'], host)
  }
  for (const path of [
    '/',
    '/x',
    '/x?status',
    '/x?progress',
    '/help',
    '/api/v1/pipe/health',
    '/api/v1/pipe/metrics',
    '/?receive',
  ]) {
    t.equal(await ask(`${gw.origin}${path}`, 'Host: evil.example'), UNKNOWN, path)
  }
  t.equal((await curlDone(['-0', '-H', 'Host:', `${gw.origin}/version`])).code, 0, 'HTTP/1.0 has no host')
})

t.test('a page that has rebound its name takes nothing, and puts nothing in', async (t) => {
  const gw = await startGateway(t, { hosts: '' })
  const named = ['--resolve', `evil.example:${gw.port}:127.0.0.1`]
  const url = `http://evil.example:${gw.port}/api/v1/pipe/jobs`
  const sender = curl(['-T', '-', gw.url('jobs')], { input: 'not for it' })
  await gw.holds(1, 0)
  const taken = await curlDone([...named, url])
  t.match(taken.stdout.toString(), /^\[ERROR\] This gateway does not answer to the host "evil\.example:\d+"\. /)
  const put = await curlDone([...named, '-d', 'x', url.replace('jobs', 'other')])
  t.match(put.stdout.toString(), /^\[ERROR\] This gateway does not answer/)
  t.equal(gw.gateway.table.waiting, 1)
  t.equal((await curlDone([gw.url('jobs')])).stdout.toString(), 'not for it')
  t.match(await sender.result, { code: 0 })
})

t.test('on an address that others reach: every host, unless some are set; and it says so', async (t) => {
  const said = (gw: Running, what: RegExp) => gw.lines.filter(({ level, msg }) => level === 40 && what.test(msg)).length
  const HOSTS = /every host name is served/
  const open = await startGateway(t, { host: '0.0.0.0', hosts: '' })
  t.equal(await ask(`${open.origin}/version`, 'Host: anything.example'), '200')
  t.equal(said(open, HOSTS), 1)
  const set = await startGateway(t, { host: '0.0.0.0', hosts: 'pipe.example' })
  t.equal(await ask(`${set.origin}/version`, 'Host: anything.example'), UNKNOWN)
  t.equal(await ask(`${set.origin}/version`), '200', 'a supervisor on the machine')
  t.equal(said(set, HOSTS), 0)
  t.equal(said(await startGateway(t, { hosts: '' }), /./), 0, 'the default has nothing to say')
  const everybody = { plugin: cors as unknown as Plugin, config: { origins: ['*'] } }
  t.equal(said(await startGateway(t, { hosts: '' }, { plugins: [everybody] }), /every page of every site may send/), 1)
  const tokens = { plugin: bearer as unknown as Plugin, config: { tokens: [{ name: 'me', hash: newToken().hash }] } }
  const asking = await startGateway(t, { host: '0.0.0.0', hosts: '' }, { plugins: [everybody, tokens] })
  t.equal(said(asking, /every/), 0, 'who has no token can do nothing')
})

t.test('behind a trusted proxy both hosts count, its client is who is compared', async (t) => {
  const gw = await startGateway(
    t,
    { hosts: 'pipe.example', trustedProxies: '127.0.0.1' },
    { plugins: [{ plugin: progress }] as never },
  )
  const url = gw.url('x?status')
  t.equal(await ask(url, 'X-Forwarded-Host: pipe.example, localhost'), '200')
  t.equal(await ask(url, 'X-Forwarded-Host: evil.example, localhost'), UNKNOWN)
  t.equal(await ask(url, 'Host: evil.example', 'X-Forwarded-Host: localhost'), UNKNOWN, 'a page can write that header')
  t.equal(await ask(url, 'X-Forwarded-Host: pipe.example', 'Origin: https://pipe.example'), '200')
  t.equal(await ask(url, 'X-Forwarded-Host: pipe.example', 'Origin: https://evil.example'), FOREIGN)
  const others = await startGateway(t, { hosts: '', trustedProxies: '10.0.0.0/8' })
  t.equal(
    await ask(`${others.origin}/version`, 'X-Forwarded-Host: evil.example'),
    '200',
    'who is no proxy is not believed',
  )
  t.equal(await ask(others.url('x'), 'X-Forwarded-Host: evil.example', 'Origin: http://evil.example'), FOREIGN)
  const untrusting = await startGateway(t, { hosts: '' })
  t.equal(await ask(`${untrusting.origin}/version`, 'X-Forwarded-Host: evil.example'), '200', 'nobody else is believed')
})

/** Requests for `?status`, which shows whether a request is let in at all. */
async function verdicts(t: Test, gw: Running, expected: string, cases: readonly (readonly string[])[]): Promise<void> {
  for (const headers of cases) t.equal(await ask(gw.url('x?status'), ...headers), expected, headers.join(', '))
}

t.test('what says that a page of another origin asks', async (t) => {
  const gw = await startGateway(t, { hosts: 'pipe.example' }, { plugins: await defaultPlugins() })
  const host = `127.0.0.1:${gw.port}`
  await verdicts(t, gw, '200', [
    [],
    ['Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate'],
    ['Sec-Fetch-Site: same-origin'],
    ['Sec-Fetch-Site: same-origin', 'Origin: https://front.example'],
    [`Origin: http://${host}`],
    [`Origin: https://${host}`],
    ['Host: pipe.example', 'Origin: https://pipe.example'],
    ['Host: PIPE.example:443', 'Origin: https://pipe.example'],
    ['Host: pipe.example:80', 'Origin: http://pipe.example'],
    ['Referer: https://evil.example/'],
  ])
  await verdicts(t, gw, FOREIGN, [
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
    ['Sec-Fetch-Site: something-new'],
    ['Sec-Fetch-Site: cross-site', `Origin: http://${host}`],
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    ['Origin: null'],
    ['Origin: https://evil.example'],
    [`Origin: http://127.0.0.1:${gw.port + 1}`],
    ['Origin: http://127.0.0.1'],
    ['Origin: http://localhost', 'Host: 127.0.0.1'],
    [`Origin: http://${host}.evil.example`],
    [`Origin: ftp://${host}`],
    [`Origin: ${host}`],
    ['Host: pipe.example', 'Origin: https://pipe.example:444'],
  ])
})

t.test('a list lets its origins in, by Origin or by Referer', async (t) => {
  const plugins = [
    { plugin: cors as unknown as Plugin, config: { origins: ['https://app.example', 'null'] } },
    { plugin: progress as unknown as Plugin },
  ]
  const gw = await startGateway(t, { hosts: '' }, { plugins })
  const site = 'Sec-Fetch-Site: cross-site'
  await verdicts(t, gw, '200', [
    [site, 'Origin: https://app.example'],
    ['Origin: https://app.example'],
    ['Origin: null'],
    [site, 'Referer: https://app.example/some/page'],
  ])
  await verdicts(t, gw, FOREIGN, [
    [site],
    [site, 'Referer: https://app.example.evil/'],
    [site, 'Referer: https://evil.example/https://app.example'],
    [site, 'Origin: https://evil.example', 'Referer: https://app.example/'],
    [site, 'Referer: nonsense'],
  ])
})

t.test('credentials let anybody in; what anybody may without them is not for pages', async (t) => {
  const token = newToken()
  const config = { tokens: [{ name: 'me', hash: token.hash }], anonymous: ['watch', 'receive'] }
  const plugins = [
    { plugin: bearer, config },
    { plugin: links, config: { secret: 'a-secret-that-is-long-enough-for-links' } },
    { plugin: progress },
  ] as unknown as { plugin: Plugin }[]
  const gw = await startGateway(t, { hosts: '' }, { plugins })
  const foreign = ['Sec-Fetch-Site: cross-site', 'Origin: https://evil.example']
  await verdicts(t, gw, '200', [[], [...foreign, `Authorization: Bearer ${token.token}`]])
  await verdicts(t, gw, FOREIGN, [foreign])
  const link = await curlDone(['-H', `Authorization: Bearer ${token.token}`, gw.url('x?link=watch')])
  t.equal(await ask(`${link.stdout.toString().trim()}&status`, ...foreign), '200', 'a signed link')
  t.equal(await ask(gw.url('x'), ...foreign), FOREIGN)
})

t.test('hosts and addresses', async (t) => {
  const hosts: readonly (readonly [string, string | undefined])[] = [
    ['A.example:80', 'a.example'],
    ['a.example.', 'a.example'],
    ['[FD00::1]:1', '[fd00::1]'],
    ['a b', undefined],
    ['a@b', undefined],
    ['a/b', undefined],
    ['', undefined],
  ]
  for (const [authority, host] of hosts) t.equal(hostOf(authority), host, authority)
  for (const address of [
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '0:0:0:0:0:0:0:1',
    'localhost',
    '::ffff:127.0.0.1',
    'LocalHost',
  ]) {
    t.ok(isLoopbackAddress(address), address)
  }
  for (const address of ['0.0.0.0', '::', '192.0.2.1', 'pipe.example', '::ffff:192.0.2.1', '128.0.0.1']) {
    t.notOk(isLoopbackAddress(address), address)
  }
  const own = new HostRule(['pipe.example'], '192.0.2.1')
  const from = (host: string) => ({
    remoteAddress: '192.0.2.9',
    header: (name: string) => (name === 'host' ? host : ''),
  })
  t.equal(own.unserved(from('192.0.2.1:8080')), undefined, 'the address that it listens on')
  t.equal(own.unserved(from('192.0.2.2')), '192.0.2.2')
})
