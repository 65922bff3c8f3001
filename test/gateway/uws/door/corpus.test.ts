/**
 * Every case of the reader's corpus over a real connection to a gateway: what it takes for a request, where bodies end, and how
 * it refuses what is none. Each comes whole, and byte by byte; over TLS, where each byte is a record, a third of them do by day.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Plugin } from '../../../../gateway/host/plugin-api.js'
import { HEAD_FAILURES, type HeadProblem } from '../../../../gateway/http/head-failures.js'
import metrics from '../../../../plugins/metrics/index.js'
import { type Case, CORPUS } from '../../../reader/corpus.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { sample } from '../../../support/thorough.js'
import { AT_ONCE_MS, answersOf, echo, faultOfRefusal, get, logged, responsesOf, type Seen } from './rig.js'

/** Those that come byte by byte are no longer than this. */
const SHORT = 250
const LONG_WAIT_MS = 20_000

t.setTimeout(300_000)

/** As the corpus writes it: the gateway reads bytes beyond ASCII as UTF-8. */
const shown = (latin1: string) => Buffer.from(latin1, 'latin1').toString('utf8')

/** What has become of a connection, in the corpus' words. */
function wordsOf(client: RawClient, seen: readonly Seen[], isClosed: boolean): string {
  const words = seen.map(({ method, target, body, ended }) =>
    `${method} ${target} ${body}${ended ? '' : isClosed ? '!' : '…'}`.trim(),
  )
  const last = responsesOf(client).at(-1)
  if (last?.status === 101) words.push('tunnel')
  else if (last?.headers['x-pipe-code'] !== undefined) words.push(`${last.status} ${last.headers['x-pipe-code']}`)
  return words.join(' | ')
}

/** Of a body that was broken a part has come, which depends on how it was cut, and nothing else. */
function isAsExpected(words: string, expected: string): boolean {
  if (!expected.endsWith('!')) return words === expected
  return words.endsWith('!') && expected.slice(0, -1).startsWith(words.slice(0, -1).trimEnd())
}

/** What can be seen of the case. What goes through a tunnel is told by another test. */
function expectedOf([, bytes, is]: Case): string {
  const words = is
    .split(' | ')
    // The reader does not know that HTTP/1.0 closes behind its response.
    .slice(0, / HTTP\/1\.0\r/.test(bytes) ? 1 : undefined)
    .filter((word) => word !== 'part')
    .map((word) =>
      word.startsWith('tunnel') ? 'tunnel' : shown(word.replaceAll('…', '\u0000')).replaceAll('\u0000', '…'),
    )
  return words.join(' | ')
}

async function sendAll(client: RawClient, bytes: string, isSlow: boolean): Promise<void> {
  if (!isSlow) return client.send(bytes)
  for (const byte of bytes) {
    await client.send(byte)
    await nextTurn()
  }
}

/** What is wrong with how the gateway takes it; undefined: nothing. */
async function faultOf(gateway: Running, seen: Seen[], each: Case, isSlow: boolean): Promise<string | undefined> {
  const [, bytes] = each
  const expected = expectedOf(each)
  const from = gateway.lines.length
  seen.length = 0
  const client = await gateway.connect()
  await sendAll(client, bytes, isSlow)
  const words = () => wordsOf(client, seen, client.endedCleanly || client.isClosed)
  const fault = await eventually(() => isAsExpected(words(), expected) || words(), { timeoutMs: AT_ONCE_MS }).then(
    () => undefined,
    () => `it is ${JSON.stringify(words().slice(0, 300))} and not ${JSON.stringify(expected.slice(0, 300))}`,
  )
  if (expected.endsWith('tunnel')) client.reset()
  else client.halfClose()
  await client.waitForClose(LONG_WAIT_MS)
  if (fault !== undefined) return fault
  if (seen.some(({ ended }) => !ended) && answersOf(client).length >= seen.length) return 'half a body was answered'
  await eventually(() => logged(gateway, from).length >= seen.length || 'it is not logged')
  const code = / ?([A-Z_]{4,})$/.exec(expected)?.[1]
  return code === undefined || !(code in HEAD_FAILURES)
    ? undefined
    : faultOfOne(gateway, client, code as HeadProblem, from)
}

async function faultOfOne(
  gateway: Running,
  client: RawClient,
  code: HeadProblem,
  from: number,
): Promise<string | undefined> {
  const isLogged = () =>
    logged(gateway, from).some((line) => line.code === code && line.status === HEAD_FAILURES[code].status)
  await eventually(() => isLogged() || `${code} is not logged`)
  if (!client.endedCleanly) return 'its connection was reset'
  return faultOfRefusal(code, answersOf(client).at(-1)!)
}

async function all(t: Test, isSlow: boolean): Promise<void> {
  const { plugin, seen } = echo()
  const gateway = await startGateway(t, { hosts: '*' }, { plugins: [{ plugin: plugin as Plugin, config: {} }] })
  const short = CORPUS.filter(([, bytes]) => bytes.length <= SHORT)
  const cases = isSlow ? sample(short, gateway.tls ? short.length / 3 : short.length) : CORPUS
  const wrong: string[] = []
  for (const each of cases) {
    const fault = await faultOf(gateway, seen, each, isSlow).catch((error) => `${error}`)
    if (fault !== undefined) wrong.push(`${each[0]}: ${fault}`)
    if (wrong.length === 20) break
  }
  t.same(wrong, [], `${cases.length} cases`)
}

t.test('every case, whole', (t) => all(t, false))
t.test('every short case, byte by byte', (t) => all(t, true))

t.test('each refusal is counted, and no page of the engine is ever seen', async (t) => {
  const gateway = await startGateway(
    t,
    { hosts: '*' },
    { plugins: [{ plugin: metrics as unknown as Plugin, config: {} }] },
  )
  const refusals = new Map<string, number>()
  for (const [, bytes, is] of CORPUS) {
    const code = /^\d{3} ([A-Z_0-9]+)$/.exec(is)?.[1]
    if (code === undefined) continue
    refusals.set(code, (refusals.get(code) ?? 0) + 1)
    const client = await gateway.connect()
    await client.send(bytes)
    await client.waitForClose(AT_ONCE_MS)
    if (/<h1>/i.test(client.text)) t.fail(`${JSON.stringify(bytes)}: ${client.text}`)
  }
  const asking = await gateway.connect()
  await asking.send(get('/api/v1/pipe/metrics'))
  const told = await asking.waitForResponse()
  asking.destroy()
  const counted = [...told.body.toString().matchAll(/^pipegate_refusals_total\{code="([A-Z_0-9]+)"\} (\d+)$/gm)]
  t.same(new Map(counted.map(([, code, count]) => [code, Number(count)])), refusals)
  const missing = Object.keys(HEAD_FAILURES).filter((code) => !refusals.has(code))
  t.same(missing, ['TOO_MANY_HALF_HEADS'], 'every refusal of a head but the one of the flood')
})
