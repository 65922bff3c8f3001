/**
 * Connections that are cut behind every byte of what they send, head and body: both sides always end at once, and for the right reason.
 * Each question has all the time there is, so that nothing here ends because of a time-out.
 */
import type { EndReason } from '../../../../core/index.js'
import { WAYS, type Way } from '../../../support/client-socket.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, speaksTls, startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { sample } from '../../../support/thorough.js'
import { answers, answerTo, type Client, failure, nothingLeft, open, part } from './rig.js'

const FRAMINGS = ['length', 'chunked'] as const
const BODY = 'what is said'
/** Of the body and of the line before it; when it is no night. */
const OFFSETS = 24
const TIMES = 'wait=300&within=300'
const AT_ONCE = 6

/** A request as it goes over the wire, and where its parts end. */
interface Wire {
  readonly bytes: string
  readonly head: number
  /** Where it is over. */
  readonly whole: number
  /** How many bytes of the body are in so many of the request. */
  bodyIn(offset: number): number
}

function wire(method: string, target: string, framing: (typeof FRAMINGS)[number]): Wire {
  const isChunked = framing === 'chunked'
  const field = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${BODY.length}`
  const head = `${method} /${target} HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`
  const body = isChunked ? `5\r\n${BODY.slice(0, 5)}\r\n7\r\n${BODY.slice(5)}\r\n0\r\n\r\n` : BODY
  const parts = isChunked
    ? ([
        [3, 5],
        [13, 7],
      ] as const)
    : ([[0, BODY.length]] as const)
  const within = (at: number, length: number) => Math.min(length, Math.max(0, at))
  return {
    bytes: head + body,
    head: head.length,
    // What reads TLS does not wait for the last line break.
    whole: head.length + body.length,
    bodyIn: (offset) => parts.reduce((sum, [at, length]) => sum + within(offset - head.length - at, length), 0),
  }
}

/** Some of the head, and all or most of what follows. */
function offsetsOf({ bytes, head }: Wire): readonly number[] {
  const all = Array.from({ length: bytes.length + 1 }, (_, i) => i)
  return [...sample(all.slice(0, head - 4), 6), ...sample(all.slice(head - 4), OFFSETS)]
}

async function forEach(offsets: readonly number[], run: (offset: number) => Promise<void>): Promise<void> {
  const left = [...offsets]
  const work = async () => {
    for (let offset = left.shift(); offset !== undefined; offset = left.shift()) await run(offset)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** A worker that waits there. */
async function serves(gateway: Running, name: string): Promise<Client> {
  const client = await open(gateway)
  await client.request('GET', `${name}?serve&wait=300`)
  return client
}

async function asks(gateway: Running, name: string, body: string): Promise<Client> {
  const client = await open(gateway)
  await client.request('POST', `${name}?ask&${TIMES}`, body)
  return client
}

/** How the response of somebody ends, which it has to at once: its status with its code or body, or `cut`. */
async function endOf({ raw }: Client): Promise<string> {
  const response = () => (raw.text.includes('\r\n\r\n') ? parseResponse(raw.received) : undefined)
  await eventually(() => raw.isClosed || response()?.complete === true || 'it is told nothing')
  const found = response()
  if (found?.complete !== true) return 'cut'
  return found.headers['x-pipe-code'] === undefined ? `${found.status} ${found.body}` : failure(found)
}

/** Whether this end may be there before what has been sent. Over TLS a client has something unread, and resets when it goes. */
const overtakes = (way: Way) => way === 'reset' || (way === 'destroy' && speaksTls())

/** Whether a client that has ended in this way behind a whole request is still there. */
const listens = (way: Way) => way === 'halfClose'

/**
 * Waits until all that came of this request has been read, if it is one already.
 * @param bytes of the body that have come
 */
function isRead({ gateway: { table } }: Running, name: string, isAnswer: boolean, bytes: number): Promise<void> {
  const read = () =>
    [...table.all()].find((each) => each.key === name && (each.isAnswer === true) === isAnswer)?.bytesIn
  return eventually(() => read() === bytes || `${read()} of ${bytes} bytes have been read`)
}

/** What the other side has to be told when so much of a request has come. @param others what it gets when that was none */
function endAt(offset: number, others: string, { head, whole, bodyIn }: Wire): string {
  if (offset < head) return `200 ${others}`
  if (offset >= whole) return `200 ${BODY}`
  // The head of a response leaves with its first byte, and until then it can be a refusal.
  return bodyIn(offset) === 0 ? '502 SENDER_LEFT' : 'cut'
}

/** Waits until the transfers of this name have ended for these reasons. An answer may be over before all of its question has arrived. */
function reasonsAre({ lines }: Running, name: string, ...wanted: EndReason[]): Promise<void> {
  const reasons = () => lines.filter(({ msg, pipe }) => msg === 'transfer' && pipe === name).map(({ reason }) => reason)
  const all = wanted.sort().join()
  return eventually(() => reasons().sort().join() === all || `${name}: ${reasons()}, and not ${all}`)
}

for (const framing of FRAMINGS) {
  for (const way of WAYS) {
    part(`an asker that is gone behind each byte of its question: ${framing}, ${way}`, async (t) => {
      const gateway = await startGateway(t)
      const seen: Record<string, number> = {}
      await forEach(offsetsOf(wire('POST', `a000?ask&${TIMES}`, framing)), async (offset) => {
        const name = `a${String(offset).padStart(3, '0')}`
        const request = wire('POST', `${name}?ask&${TIMES}`, framing)
        const { bytes, head, whole, bodyIn } = request
        const worker = await serves(gateway, name)
        await eventually(() => gateway.gateway.table.get(name)?.ask?.workers === 1 || 'the worker does not wait')
        const asker = await gateway.connect()
        await asker.send(bytes.slice(0, offset))
        if (overtakes(way) && offset >= whole) await gateway.ended(name)
        else if (overtakes(way) && offset >= head) await isRead(gateway, name, false, bodyIn(offset))
        asker[way]()
        const other = await asks(gateway, name, 'somebody else')
        const end = await endOf(worker)
        seen[end] = (seen[end] ?? 0) + 1
        t.equal(end, endAt(offset, 'somebody else', request), `${offset} of ${bytes.length}`)
        if (end === `200 ${BODY}` && listens(way)) {
          // It has said all that it has to say, and listens.
          await answers(gateway, answerTo(worker.raw.text), 'what it waited for')
          await asker.waitFor('what it waited for')
        } else if (end === `200 ${BODY}`) {
          const late = await answers(gateway, answerTo(worker.raw.text), 'x')
          t.equal(failure(late), '410 ANSWER_GONE')
        }
        await asker.waitForClose()
        const next = end === '200 somebody else' ? worker : await serves(gateway, name)
        t.equal(await endOf(next), '200 somebody else')
        await answers(gateway, answerTo(next.raw.text), 'and an answer')
        t.equal(await endOf(other), '200 and an answer')
        const first: EndReason[] =
          end === '200 somebody else' ? [] : end === `200 ${BODY}` ? ['complete'] : ['sender_left']
        if (end === `200 ${BODY}` && listens(way)) first.push('complete')
        await reasonsAre(gateway, name, ...first, 'complete', 'complete')
        for (const client of [worker, next, other]) client.raw.destroy()
      })
      t.comment(JSON.stringify(seen))
      await nothingLeft(gateway)
    })

    part(`a worker that is gone behind each byte of its answer: ${framing}, ${way}`, async (t) => {
      const gateway = await startGateway(t)
      const seen: Record<string, number> = {}
      const id = 'x'.repeat(32)
      await forEach(offsetsOf(wire('PUT', `a000?answer=${id}`, framing)), async (offset) => {
        const name = `a${String(offset).padStart(3, '0')}`
        const asker = await asks(gateway, name, 'why')
        const worker = await serves(gateway, name)
        const to = answerTo(await worker.response())
        const request = wire('PUT', to, framing)
        const { bytes, head, whole, bodyIn } = request
        const answering = await gateway.connect()
        await answering.send(bytes.slice(0, offset))
        if (overtakes(way) && offset >= whole) await gateway.ended(name, 2)
        else if (overtakes(way) && offset >= head) await isRead(gateway, name, true, bodyIn(offset))
        answering[way]()
        const second = await answers(gateway, to, 'the second')
        const isFirst = failure(second) === '410 ANSWER_GONE'
        const end = await endOf(asker)
        seen[end] = (seen[end] ?? 0) + 1
        t.equal(end, endAt(offset, 'the second', request), `${offset} of ${bytes.length}`)
        t.equal(end === '200 the second', !isFirst, `${offset}: ${end} and ${failure(second)}`)
        await answering.waitForClose()
        t.equal(failure(await answers(gateway, to, 'the third')), '410 ANSWER_GONE')
        const reason = end === 'cut' || end.startsWith('502') ? 'sender_left' : 'complete'
        await reasonsAre(gateway, name, 'complete', reason)
        for (const client of [asker, worker]) client.raw.destroy()
      })
      t.comment(JSON.stringify(seen))
      await nothingLeft(gateway)
    })
  }
}

for (const way of WAYS) {
  part(`a worker that is gone in the middle of its request costs the asker nothing: ${way}`, async (t) => {
    const gateway = await startGateway(t)
    const request = 'GET /q?serve&wait=300 HTTP/1.1\r\nHost: x\r\n\r\n'
    const asker = await asks(gateway, 'q', 'why')
    const offsets = Array.from({ length: request.length }, (_, i) => i)
    await forEach(sample(offsets, OFFSETS), async (offset) => {
      const client = await gateway.connect()
      await client.send(request.slice(0, offset))
      client[way]()
      await client.waitForClose()
    })
    t.match(gateway.gateway.table.get('q')?.ask, { askers: 1, workers: 0, unanswered: 0 })
    const worker = await serves(gateway, 'q')
    await answers(gateway, answerTo(await worker.response()), 'because')
    t.equal(await endOf(asker), '200 because')
    for (const each of [asker, worker]) each.raw.destroy()
    await nothingLeft(gateway)
  })
}
