/** Which requests are a browser's own attempt to go on, by a clock that is turned by hand. */

import t from 'tap'
import { Parameters } from '../../../gateway/http/parameters.js'
import { CutDownloads } from '../../../gateway/router/join/cut-downloads.js'

function rig() {
  const clock = { now: 1000 }
  const cut = new CutDownloads(() => clock.now)
  const ticket = (query: string, headers: Record<string, string> = {}) => {
    const all: Record<string, string> = { 'user-agent': 'Mozilla/5.0', ...headers }
    const request = {
      method: 'GET',
      path: '/a',
      query,
      remoteAddress: '::1',
      header: (name: string) => all[name] ?? '',
      eachHeader() {},
    }
    return cut.ticketOf(request, new Parameters(query))
  }
  return { clock, cut, ticket }
}

t.test('only a browser that was told to save something has a ticket', async (t) => {
  const { ticket } = rig()
  t.ok(ticket('download'))
  t.ok(ticket('filename=a', { 'sec-fetch-mode': 'navigate' }))
  t.not(ticket('download'), ticket('download&again=1'))
  t.equal(ticket('n=2'), undefined)
  t.equal(ticket('download', { 'sec-fetch-mode': 'cors' }), undefined, 'a script')
  t.equal(ticket('download', { 'user-agent': 'curl/8.5.0' }), undefined)
  t.equal(ticket('download', { range: 'bytes=5-' }), undefined, 'it asks for the rest')
})

t.test('ten seconds after the cut it is somebody who asks again', async (t) => {
  const { clock, cut, ticket } = rig()
  const mine = ticket('download')!
  t.notOk(cut.isRetry(mine))
  cut.note(mine)
  clock.now += 9999
  t.ok(cut.isRetry(mine))
  t.notOk(cut.isRetry(ticket('download&again=1')!))
  clock.now += 1
  t.notOk(cut.isRetry(mine))
})

t.test('what is known of cuts is bounded', async (t) => {
  const { clock, cut } = rig()
  for (let i = 0; i < 1500; i++) cut.note(`${i}`)
  t.ok(cut.isRetry('1499'))
  t.ok(cut.isRetry('500'))
  t.notOk(cut.isRetry('499'), 'the oldest are forgotten first')
  clock.now += 10_000
  cut.note('again')
  t.ok(cut.isRetry('again'))
  t.notOk(cut.isRetry('1499'))
})
