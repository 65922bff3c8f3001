/** What is refused because a name joins two peers; test/gateway/router/duplex goes through every end. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { type Ask, allRefused, type Case, get, open, put } from './rig.js'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** A request for a WebSocket. */
function upgrade(target: string, { version = '13', key = KEY, more = [] as string[] } = {}): Ask {
  const asked = ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Version: ${version}`]
  return { ...get(target), headers: [...asked, `Sec-WebSocket-Key: ${key}`, ...more] }
}

const protocols = (offered: string) => [`Sec-WebSocket-Protocol: ${offered}`]

const wrongMethod = (ask: Ask, allow: string): Case => ({
  ...ask,
  row: FAILURES.methodNotAllowed,
  says: new RegExp(`The method ${ask.method} means nothing here\\. Use one of: ${allow}\\.`),
  allow,
})

function senseless(ask: Ask, found: string): Case {
  const says = new RegExp(`each of whom hears the other, so \\?${found} makes no sense with it here\\. Leave it out\\.`)
  return { ...ask, row: FAILURES.notWithDuplex, says }
}

t.test('what peers of a duplex pipe cannot ask for', async (t) => {
  const gw = await startGateway(t)
  const handshake = /This request asks for a WebSocket, but (has|its) .*\. Connect with a WebSocket client that follows/
  await allRefused(t, gw, [
    wrongMethod(get('/d?duplex'), 'POST, PUT'),
    wrongMethod(put('/d?ws', '', 'Connection: Upgrade', 'Upgrade: websocket'), 'GET'),
    {
      ...put('/d?duplex=c', ''),
      row: FAILURES.badParameter,
      says: /The value of duplex is "c"\. It takes nothing, a or b\./,
    },
    { ...upgrade('/d?ws&duplex'), row: FAILURES.twoKinds, says: /\?duplex .*\?ws|\?ws .*\?duplex/ },
    senseless(put('/d?duplex&n=2', ''), 'n=2'),
    senseless(put('/d?duplex&reply=end', ''), 'reply'),
    senseless(put('/d?duplex=a&sha256', ''), 'sha256'),
    senseless(get('/d?duplex=b&min=1'), 'min'),
    senseless(upgrade('/d?ws&slow=cut'), 'slow'),
    {
      ...upgrade('/d?ws', { version: '8' }),
      row: FAILURES.websocketVersion,
      says: /a WebSocket of version "?8"?, and only 13 is spoken here\. Connect with a WebSocket client that follows/,
    },
    ...['AAAA', '', `${KEY}x`].map((key) => ({
      ...upgrade('/d?ws', { key }),
      row: FAILURES.badHandshake,
      says: handshake,
    })),
    { ...put('/d?duplex&now', ''), row: FAILURES.nobodyWaiting, says: /Nobody is waiting for this name/ },
    { ...upgrade('/d?ws&now'), row: FAILURES.nobodyWaiting, says: /Nobody is waiting for this name/ },
  ])
  t.equal(gw.gateway.table.get('d'), undefined, 'none of them takes a place')
})

t.test('a place that is taken', async (t) => {
  const gw = await startGateway(t)
  const peers = (wanted: number) =>
    eventually(() => gw.gateway.table.get('d')?.duplex?.peers === wanted || `not ${wanted} peers`)
  const says = /now, and this request asks for a pipe\. Use another name/
  const part = await open(gw, put('/d?duplex=a', 'said'))
  await peers(1)
  await allRefused(t, gw, [
    { ...get('/d'), row: FAILURES.kindClash, says },
    {
      ...put('/d?duplex=A', ''),
      row: FAILURES.partTaken,
      says: /Peer a of this name already has its sender\. Each peer sends once and receives once at a time/,
    },
  ])
  part.destroy()
  await eventually(() => gw.gateway.table.get('d') === undefined || 'somebody is there')

  const one = await open(gw, upgrade('/d?ws', { more: protocols('chat, superchat') }))
  await one.waitFor('Sec-WebSocket-Protocol: chat')
  const unequal = /the subprotocol chat, and this one offers (none|superchat, other)\. Offer the same, or use another/
  await allRefused(
    t,
    gw,
    [protocols('superchat, other'), []].map((more) => ({
      ...upgrade('/d?ws', { more }),
      row: FAILURES.unequalProtocols,
      says: unequal,
    })),
  )
  const another = await open(gw, upgrade('/d?ws', { more: protocols('other,chat') }))
  await another.waitFor('Sec-WebSocket-Protocol: chat')
  await peers(2)
  const full = /Both peers of this name are already here\. A duplex pipe joins two: use another name\./
  const third = [put('/d?duplex', ''), put('/d?duplex=b', ''), get('/d?duplex=b'), upgrade('/d?ws')]
  await allRefused(
    t,
    gw,
    third.map((ask) => ({ ...ask, row: FAILURES.peersFull, says: full })),
  )
  for (const client of [one, another]) client.destroy()
})
