/** Requests that cannot be a sender or a receiver. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { type Ask, allRefused, answer, type Case, checkText, get, nameOf, open, put } from './rig.js'

t.test('a transfer id that is in use', async (t) => {
  const gw = await startGateway(t)
  const waiting = await open(gw, put('/a?transfer=0123456789abcdef', 'first'))
  await gw.holds(1, 0)
  const row = FAILURES.transferIdTaken
  const says = /The transfer id 0123456789abcdef is in use\. Choose another one, or none: then one is drawn\./
  const { response } = await answer(gw, put('/b?transfer=0123456789abcdef', 'x'))
  checkText(t, 'a second transfer with it', response, { row, says })
  waiting.destroy()
})

t.test('a range beyond the end of the stream', async (t) => {
  const gw = await startGateway(t)
  const sending = await open(gw, put('/a', 'hello'))
  await gw.holds(1, 0)
  const row = FAILURES.rangeBeyondEnd
  const case_ = (first: string, found = first): Case => ({
    ...get('/a'),
    headers: [`Range: bytes=${first}-`],
    row,
    says: new RegExp(
      `begins at byte ${found}, and the stream has 5 bytes\\. If you have that many, you have all of it`,
    ),
  })
  const cases = [case_('5'), case_('6'), case_('9'.repeat(400), `${Number.MAX_SAFE_INTEGER}`)]
  await allRefused(t, gw, cases)
  const { response } = await answer(gw, cases[0]!)
  t.same(response.headers['content-range'], ['bytes */5'])
  t.equal((await answer(gw, get('/a'))).response.body.toString(), 'hello', 'the place is still free')
  await sending.waitFor('Transfer complete.')
  sending.destroy()
})

t.test('requests that cannot be a side of a pipe', async (t) => {
  const gw = await startGateway(t)
  const long = (name: string, bytes: number): Case => ({
    ...put('/p', '', 'X-Piping: short', `${name}: ${'v'.repeat(bytes)}`),
    row: FAILURES.headerTooLong,
    says: new RegExp(`The header ${name} has ${bytes} bytes\\. Keep each value within 8192\\.`),
  })
  await allRefused(t, gw, [
    ...['bytes 0-1/2', 'bytes */2', 'x'].flatMap((range) =>
      ['PUT', 'POST'].map((method) => ({
        ...put('/p', 'ab', `Content-Range: ${range}`),
        method,
        row: FAILURES.contentRange,
        says: /has a Content-Range, and a stream has no parts\. Send the whole body without it\./,
      })),
    ),
    ...['script', 'Script', ' SCRIPT '].flatMap((value) =>
      ['GET', 'PUT', 'POST'].map((method) => ({
        method,
        target: '/p',
        headers: [`Service-Worker: ${value}`],
        row: FAILURES.serviceWorker,
        says: /A service worker cannot be loaded from a pipe\. Serve it from a web server of your own\./,
      })),
    ),
    ...['Content-Length: 2', 'Transfer-Encoding: chunked'].map((framing) => ({
      method: 'GET',
      target: '/p',
      headers: [framing],
      row: FAILURES.bodyNotWanted,
      says: /This GET has a body, and who receives or watches has nothing to send\. Leave the body out, or send it with PUT or POST\./,
    })),
    ...['multipart/form-data', 'Multipart/Form-Data; charset=utf-8', 'multipart/form-data;boundary='].map((type) => ({
      ...put('/p', '--x--', `Content-Type: ${type}`),
      row: FAILURES.badBoundary,
      says: /The Content-Type of this form has no boundary\. Name the boundary between its parts: 1 to 70 characters, as/,
    })),
    ...['progress', 'progress=1', 'status', 'status=true', 'n=2&status'].map((query) => ({
      ...get(`/p?${query}`),
      row: FAILURES.notAvailable,
      says: new RegExp(`does not offer \\?${query.replace(/^n=2&|=.*/g, '')}\\. Leave it out\\.`),
    })),
    long('X-Piping', 8193),
    long('X-Hoody-Pipe', 8193),
    long('X-Piping', 20_000),
  ])
})

t.test('switches may be off, and requests that only resemble a refused one are accepted', async (t) => {
  const gw = await startGateway(t)
  const pairs: [Ask, Ask][] = [
    [put('/a?sha256=0', 'a'), get('/a?progress=0&status=false&sha256=no')],
    [put('/b?sha256=No', 'b'), get('/b?progress=FALSE')],
    [put('/c?progress&status', 'c', 'Service-Worker: no', 'Content-Type: multipart/mixed'), get('/c?reply=x')],
    [put('/d', 'd', `X-Piping: ${'v'.repeat(8192)}`, `X-Hoody-Pipe: ${'v'.repeat(8192)}`), get('/d')],
    [
      put('/e', 'e'),
      { method: 'GET', target: '/e', headers: ['Content-Range: bytes 0-1/2', `X-Piping: ${'v'.repeat(9000)}`] },
    ],
  ]
  for (const [send, receive] of pairs) {
    const sending = await open(gw, send)
    const { response } = await answer(gw, receive)
    t.same([response.status, response.body.toString()], [200, send.body], nameOf(send))
    await sending.waitFor('Transfer complete.')
    sending.destroy()
  }
})

t.test('a browser that asks by itself again for a download that was cut', async (t) => {
  const gw = await startGateway(t)
  const row = FAILURES.wasCut
  const says = /What this download was receiving was cut, and is not there any more\. Ask for it again when its sender/
  const browser = ['User-Agent: Mozilla/5.0', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: empty']
  const ask = { ...get('/cut?download'), headers: browser }
  const receiving = await open(gw, ask)
  await gw.holds(1, 0)
  const sending = await open(gw, { ...put('/cut', 'half', 'X: y'), headers: ['Content-Length: 100'] })
  await receiving.waitFor('half')
  sending.destroy()
  await receiving.waitForClose()
  await allRefused(t, gw, [{ ...ask, row, says }])

  // Whoever asks otherwise waits for what comes next.
  for (const other of [
    { ...ask, headers: [...browser, 'Range: bytes=4-'] },
    { ...ask, headers: ['User-Agent: Mozilla/5.0 (another)'] },
    { ...ask, target: '/cut?download&again=2' },
    { ...ask, target: '/other?download' },
    { ...ask, headers: ['User-Agent: Mozilla/5.0', 'Sec-Fetch-Mode: cors'] },
    { ...ask, headers: ['User-Agent: Wget/1.21.3'] },
  ]) {
    const client = await open(gw, other)
    await gw.holds(1, 0)
    client.destroy()
    await gw.holds(0, 0)
  }
})
