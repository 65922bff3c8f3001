/** Who is asking, behind proxies and behind who only says to be one. */
import t from 'tap'
import type { RequestView } from '../../../gateway/http/request-view.js'
import { clientAddressReader } from '../../../gateway/http/trusted-proxies.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'

/** @param headers the values of as many `X-Forwarded-For` */
function from(peer: string, ...headers: string[]): RequestView {
  return {
    method: 'GET',
    path: '/x',
    query: '',
    remoteAddress: peer,
    header: () => '',
    eachHeader(visit) {
      visit('x-real-ip', '192.0.2.99')
      for (const value of headers) visit('x-forwarded-for', value)
    },
  }
}

/** `10.0.0.0/8`, the loopback addresses and `2001:db8:f::/48` are proxies. */
const CASES: readonly (readonly [what: string, peer: string, headers: readonly string[], client: string])[] = [
  ['a peer that is no proxy', '192.0.2.1', ['198.51.100.1'], '192.0.2.1'],
  ['a proxy that says nothing', '10.0.0.1', [], '10.0.0.1'],
  ['a proxy', '10.0.0.1', ['192.0.2.1'], '192.0.2.1'],
  ['what the client wrote before it', '10.0.0.1', ['198.51.100.1, 192.0.2.1'], '192.0.2.1'],
  ['proxies behind each other', '10.0.0.1', ['198.51.100.1, 192.0.2.1, 10.0.0.3, 10.0.0.2'], '192.0.2.1'],
  ['nobody but proxies', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
  ['two headers are one list', '10.0.0.1', ['198.51.100.1', '192.0.2.1, 10.0.0.2'], '192.0.2.1'],
  ['a client in the first of two', '10.0.0.1', ['192.0.2.1', '10.0.0.2'], '192.0.2.1'],
  ['no proxy is taken for one by a client', '10.0.0.1', ['10.9.9.9, 192.0.2.1'], '192.0.2.1'],
  ['garbage', '10.0.0.1', ['nonsense'], '10.0.0.1'],
  ['an address behind garbage is not believed', '10.0.0.1', ['192.0.2.1, unknown, 10.0.0.2'], '10.0.0.2'],
  ['empty ones', '10.0.0.1', [',, ,'], '10.0.0.1'],
  ['a number of another form', '10.0.0.1', ['0x7f.1'], '10.0.0.1'],
  ['a leading zero', '10.0.0.1', ['010.1.1.1'], '10.0.0.1'],
  ['a name', '10.0.0.1', ['localhost'], '10.0.0.1'],
  ['a long one', '10.0.0.1', ['1'.repeat(4000)], '10.0.0.1'],
  ['many', '10.0.0.1', [`${'192.0.2.7,'.repeat(400)}192.0.2.1`], '192.0.2.1'],
  ['a port', '10.0.0.1', ['192.0.2.1:443'], '192.0.2.1'],
  ['IPv6', '10.0.0.1', ['2001:db8::1'], '2001:db8::1'],
  ['IPv6 in brackets', '10.0.0.1', ['[2001:db8::1]'], '2001:db8::1'],
  ['IPv6 with a port', '10.0.0.1', ['[2001:db8::1]:443'], '2001:db8::1'],
  ['half a bracket', '10.0.0.1', ['[2001:db8::1'], '10.0.0.1'],
  ['a bracket with something behind it', '10.0.0.1', ['[2001:db8::1]x'], '10.0.0.1'],
  ['a proxy by IPv6', '10.0.0.1', ['192.0.2.1, 2001:db8:f::7'], '192.0.2.1'],
  ['a peer by IPv6, as uWebSockets writes it', '0000:0000:0000:0000:0000:0000:0000:0001', ['192.0.2.1'], '192.0.2.1'],
  ['a zone', '10.0.0.1', ['fe80::1%eth0'], '10.0.0.1'],
  ['IPv4 as a socket of both kinds writes it', '10.0.0.1', ['::ffff:192.0.2.1'], '192.0.2.1'],
  ['a proxy so', '10.0.0.1', ['192.0.2.1, ::FFFF:10.0.0.2'], '192.0.2.1'],
]

t.test('who is asking', async (t) => {
  const read = clientAddressReader('10.0.0.0/8, ::1,127.0.0.1,2001:db8:f::/48')
  for (const [what, peer, headers, client] of CASES) t.equal(read(from(peer, ...headers)), client, what)
})

t.test('without trusted proxies nobody is believed', async (t) => {
  for (const none of ['', ' ', ',']) t.equal(clientAddressReader(none)(from('10.0.0.1', '192.0.2.1')), '10.0.0.1')
})

/** A PROXY protocol header, version 2, of a TCP connection from this address. */
function proxyHeader(address: string): string {
  const bytes = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12]
  return String.fromCharCode(...bytes, ...address.split('.').map(Number), 127, 0, 0, 1, 0x80, 0, 0x1f, 0x90)
}

t.test('a PROXY header is refused, and what it says is not believed', async (t) => {
  const { port, lines } = await startGateway(t, { trustedProxies: '127.0.0.1' })
  const health = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n'
  for (const before of ['', health]) {
    const client = await connect({ port })
    await client.send(`${before}${proxyHeader('192.0.2.1')}${health}`)
    await client.waitForClose()
    t.match(client.text, /HTTP\/1\.1 400 [\s\S]*PROXY_PROTOCOL/)
  }
  const askers = lines.filter(({ msg }) => msg === 'request').map(({ remoteAddress }) => remoteAddress)
  t.same(askers, ['127.0.0.1', '127.0.0.1', '127.0.0.1'])
})
