/** What the tests of the front door have in common. */

import type { Test } from 'tap'
import { z } from 'zod'
import { definePlugin, PLUGIN_API, textAnswer } from '../../../../gateway/host/plugin-api.js'
import { HEAD_FAILURES, type HeadProblem } from '../../../../gateway/http/head-failures.js'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import { parseResponse, type RawClient, type RawResponse } from '../../../support/raw.js'

/** Well below the eight seconds after which uWebSockets gives up a connection, on a busy machine too. */
export const AT_ONCE_MS = 3000

/** A request that the echo has been given. */
export interface Seen {
  readonly method: string
  readonly target: string
  body: string
  /** All of its body has come. */
  ended: boolean
}

/** What the echo answers, and other servers that are compared with it. */
export const seenBody = (latin1: string) => `seen ${Buffer.from(latin1, 'latin1').toString('hex')}\n`

/** A plugin that claims every request, reads its body, and answers it. `seen` tells what it was given. */
export function echo() {
  const seen: Seen[] = []
  const plugin = definePlugin({
    name: 'echo',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup: () => ({
      claims: [
        {
          claims: () => true,
          handle(request, body, reply) {
            const { method, path, query } = request
            const one: Seen = { method, target: query === '' ? path : `${path}?${query}`, body: '', ended: false }
            seen.push(one)
            body.read(
              (bytes) => {
                one.body += Buffer.from(bytes).toString('latin1')
              },
              () => {
                one.ended = true
                reply.give(textAnswer(200, seenBody(one.body)))
              },
            )
          },
          upgrade(request, offer, reply) {
            seen.push({ method: request.method, target: request.path, body: '', ended: true })
            if (request.path === '/refuse') reply.give(textAnswer(403, 'refused\n'))
            else offer.accept('', [], { onMessage() {}, onPing() {}, onDrain() {}, onClose() {} })
          },
        },
      ],
    }),
  })
  return { plugin, seen }
}

/** All responses on a connection so far, the last of which may not be complete. */
export function responsesOf({ received }: RawClient): RawResponse[] {
  const responses: RawResponse[] = []
  for (let at = 0; received.indexOf('\r\n\r\n', at) >= 0; ) {
    const response = parseResponse(received.subarray(at))
    responses.push(response)
    at += response.end
    if (response.status === 101) break
  }
  return responses
}

/** The same without interim ones. */
export const answersOf = (client: RawClient) => responsesOf(client).filter(({ status }) => status >= 200)

/** What is wrong with the answer to a head that is refused; undefined: nothing. */
export function faultOfRefusal(code: HeadProblem, response: RawResponse): string | undefined {
  const { status, message, hint } = HEAD_FAILURES[code]
  const line = response.body.toString('latin1')
  const [before, after] = `[ERROR] ${message} ${hint}\n`.split('{found}') as [string, string?]
  const says = after === undefined ? line === before : line.startsWith(before) && line.endsWith(after)
  const { headers } = response
  const faults = [
    response.status === status ? '' : `status ${response.status}`,
    `${headers['x-pipe-code']}` === code ? '' : `code ${headers['x-pipe-code']}`,
    `${headers.connection}` === 'close' ? '' : `connection ${headers.connection}`,
    `${headers['content-type']}` === 'text/plain; charset=utf-8' ? '' : `type ${headers['content-type']}`,
    says && /^[\x20-\x7e]+\n$/.test(line) ? '' : `line ${line}`,
    response.complete ? '' : 'it is not complete',
    (headers['retry-after'] !== undefined) === (status === 503) ? '' : `retry-after ${headers['retry-after']}`,
    (headers.allow !== undefined) === (status === 405) ? '' : `allow ${headers.allow}`,
  ].filter((fault) => fault !== '')
  return faults.length === 0 ? undefined : faults.join(', ')
}

/** Checks that this connection got one refusal, and was closed at once. */
export async function refused(t: Test, client: RawClient, code: HeadProblem, name: string = code): Promise<void> {
  await eventually(() => client.endedCleanly || `${name}: it is not closed: ${client.text}`, { timeoutMs: AT_ONCE_MS })
  const answers = answersOf(client)
  t.equal(answers.length, 1, `${name}: one answer`)
  t.equal(answers[0] && faultOfRefusal(code, answers[0]), undefined, name)
}

/** A transfer that runs while others come to the door, and that they must not disturb. */
export interface Bystander {
  /** Some more bytes go through it. */
  goOn(): Promise<void>
  /** It is complete, and nothing was missing. */
  end(): Promise<void>
}

export async function startBystander(t: Test, gateway: Running, name = 'bystander'): Promise<Bystander> {
  const receiver = await gateway.connect()
  const sender = await gateway.connect()
  await receiver.send(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await sender.send(`PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
  let all = ''
  const goOn = async () => {
    const piece = `${all.length};`
    all += piece
    await sender.send(`${piece.length.toString(16)}\r\n${piece}\r\n`)
    await eventually(() => bodyOf(receiver) === all || `the bystander has ${bodyOf(receiver)}`)
  }
  await goOn()
  return {
    goOn,
    async end() {
      await sender.send('0\r\n\r\n')
      const { complete, body } = await receiver.waitForResponse()
      await sender.waitFor('[INFO] Transfer complete.\n')
      t.ok(complete && body.toString() === all, 'the transfer meanwhile is complete')
      sender.destroy()
      receiver.destroy()
    },
  }
}

/** What has come of the body of a response. */
export function bodyOf(client: RawClient): string {
  return answersOf(client)[0]?.body.toString('latin1') ?? ''
}

export const HOST = 'Host: x\r\n'
export const get = (target: string, ...fields: string[]) =>
  `${[`GET ${target} HTTP/1.1`, 'Host: x', ...fields].join('\r\n')}\r\n\r\n`
export const put = (target: string, fields: readonly string[], body = '') =>
  `${[`PUT ${target} HTTP/1.1`, 'Host: x', ...fields].join('\r\n')}\r\n\r\n${body}`
export const chunkedPut = (target: string, body: string) => put(target, ['Transfer-Encoding: chunked'], body)
export const HEALTH = get('/api/v1/pipe/health')

/** The requests in the log, from its `from`-th line on. */
export const logged = (gateway: Running, from = 0) => gateway.lines.slice(from).filter(({ msg }) => msg === 'request')
