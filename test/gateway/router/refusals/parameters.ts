/** Parameters that are not valid, and those at the limits of what is. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { type Ask, allRefused, type Case, get, open, put } from './rig.js'

/** A value as it stands in a query, and how the line shows it. */
function parameter(name: string, values: readonly string[], expected: RegExp, asks: (query: string) => Ask[]): Case[] {
  return [...values.map((value) => `${name}=${value}`), name].flatMap((query) => {
    const shown = decodeURIComponent(query.slice(name.length + 1)).replace(/[^\x20-\x7e]/g, '?')
    const found = `The value of ${name} is "${shown}"`.replace(/[.+?]/g, '\\$&')
    const says = new RegExp(`${found}\\. It takes ${expected.source}\\.`)
    return asks(query).map((ask) => ({ ...ask, row: FAILURES.badParameter, says }))
  })
}

const NUMBERS = [
  '0',
  '257',
  '-1',
  '%2B1',
  '+1',
  '1.5',
  '2abc',
  '',
  '01',
  '1e1',
  '0x2',
  '%201',
  '1%0a',
  '%D9%A1',
  '%C3%A9',
  '1,2',
]
const bothSides = (query: string): Ask[] => [
  get(`/p?${query}`),
  put(`/p?${query}`, ''),
  { ...put(`/p?${query}`, ''), method: 'POST' },
]
const sender = (query: string): Ask[] => [put(`/p?${query}`, '')]
const receiver = (query: string): Ask[] => [get(`/p?${query}`)]

t.test('an invalid parameter is refused with what was found and what is valid', async (t) => {
  const gw = await startGateway(t)
  // "+1" is " 1" once decoded: the helper would show the plus.
  const plain = NUMBERS.filter((value) => value !== '+1')
  await allRefused(t, gw, [
    ...parameter('n', plain, /a whole number, 1 to 256/, bothSides),
    ...parameter('wait', ['0', '3601', '-5', '1.5', '10s', '', '007'], /a whole number, 1 to 3600/, bothSides),
    ...parameter('stall', ['0', '86401', '-1', '2.5', 'x', ''], /a whole number, 1 to 86400/, sender),
    ...parameter(
      'size',
      ['-1', '1.5', '9007199254740992', '9007199254740993', '1e9', ''],
      /a whole number, 0 to 9007199254740991/,
      sender,
    ),
    ...parameter('reply', ['END', 'now', '', 'end,stream'], /end or stream/, sender),
    ...parameter('filename', [''], /the name to save under/, receiver),
    ...parameter(
      'download',
      ['maybe', '2', 'off', '1%00', '%E2%82%AC'],
      /nothing, 1, true, yes, 0, false or no/,
      receiver,
    )
      // Bare is on.
      .filter(({ target }) => target !== '/p?download'),
    ...['-1', 'abc', '1.5', '9007199254740992', '12 34'].map((value) => ({
      ...put('/p', '', `X-Pipe-Size: ${value}`),
      row: FAILURES.badParameter,
      says: new RegExp(`The value of X-Pipe-Size is "${value}"\\. It takes a whole number, 0 to 9007199254740991\\.`),
    })),
    { ...get('/p?n=+1'), row: FAILURES.badParameter, says: /The value of n is " 1"\. It takes a whole number/ },
    { ...get('/p?n=0&n=2'), row: FAILURES.badParameter, says: /n is "0"/ },
    { ...get(`/p?n=${'9'.repeat(500)}`), row: FAILURES.badParameter, says: /n is "9{60}\.\.\."\. It takes/ },
    { ...put('/p?size=x', '', 'X-Pipe-Size: 5'), row: FAILURES.badParameter, says: /size is "x"/ },
  ])
})

t.test('limits of a range are valid, the first value counts, unknown parameters are ignored', async (t) => {
  const gw = await startGateway(t)
  const wanted: [Ask, number][] = [
    [get('/a?n=1'), 1],
    [get('/b?n=256&wait=3600'), 256],
    [get('/c?n=2&n=999&n=x'), 2],
    [get('/d?N=0&receivers=0&wait_=x&foo&=&stall=0&size=x&reply=x'), 1],
    [put('/e?n=3&wait=1&stall=86400&size=0&reply=end&download=x&filename=', ''), 3],
    [put('/f?size=9007199254740991', '', 'X-Pipe-Size: nonsense that ?size overrules'), 1],
    [put('/g?stall=1&reply=stream', '', 'X-Pipe-Size: 9007199254740991'), 1],
    [get('/h?download&filename=x'), 1],
    [get('/i?download=YES'), 1],
    [get('/j?download=False'), 1],
    [get('/k?'), 1],
  ]
  const clients = await Promise.all(wanted.map(([ask]) => open(gw, ask)))
  await gw.holds(wanted.length, 0)
  for (const [{ target }, receivers] of wanted) {
    t.equal(gw.gateway.table.get(target.slice(1, 2))?.receiversWanted, receivers, target)
  }
  for (const client of clients) client.destroy()
  for (const client of clients) await client.waitForClose()
})

t.test('maxReceivers bounds n, and the line says so', async (t) => {
  const gw = await startGateway(t, { maxReceivers: '3' })
  await allRefused(
    t,
    gw,
    parameter('n', ['4', '256'], /a whole number, 1 to 3/, bothSides).filter(({ target }) => target !== '/p?n'),
  )
  const client = await open(gw, get('/p?n=3'))
  await gw.holds(1, 0)
  client.destroy()
  await gw.holds(0, 0)
})
