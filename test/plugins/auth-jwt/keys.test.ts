/** The cache of the issuer's keys, by a clock that is turned by hand and an issuer that answers when the test says. */

import { generateKeyPairSync } from 'node:crypto'
import type { FlattenedJWSInput, JSONWebKeySet, JWK } from 'jose'
import t, { type Test } from 'tap'
import type { TokenProblem } from '../../../plugins/auth-jwt/failures.js'
import { KeysUnavailable } from '../../../plugins/auth-jwt/keys/keys.js'
import { RemoteKeys } from '../../../plugins/auth-jwt/keys/remote-keys.js'
import { eventually } from '../../support/eventually.js'
import { collectGarbage } from '../../support/garbage.js'
import { makeKey } from '../../support/issuer.js'

const first = await makeKey('ES256', 'first')
const second = await makeKey('ES256', 'second')
const JWS: FlattenedJWSInput = { payload: '', signature: '' }

interface Fetch {
  answer(...keys: JWK[]): void
  fail(): void
  readonly signal: AbortSignal
}

function rig(t: Test, timeoutMs = 60_000) {
  let time = 1000
  const fetches: Fetch[] = []
  const lines: string[] = []
  const say = (_fields: object, message: string) => void lines.push(message)
  const keys = new RemoteKeys({
    algorithms: ['ES256', 'RS256'],
    timeoutMs,
    cooldownMs: 30_000,
    maxAgeMs: 600_000,
    keepMs: 3_600_000,
    now: () => time,
    log: { debug: say, info: say, warn: say, error: say },
    fetch: (signal) =>
      new Promise<JSONWebKeySet>((resolve, reject) => {
        fetches.push({
          answer: (...all) => resolve({ keys: all }),
          fail: () => reject(new Error('the issuer cannot be reached')),
          signal,
        })
      }),
  })
  t.teardown(() => keys.stop())
  const left = new AbortController()
  return {
    keys,
    fetches,
    lines,
    left,
    pass: (ms: number) => {
      time += ms
    },
    /** What becomes of a token with this `kid`: `key`, the problem's name, or `503 in N`. */
    find: (kid: string | undefined, signal: AbortSignal = new AbortController().signal): Promise<string> =>
      keys.find({ alg: 'ES256', ...(kid !== undefined && { kid }) }, JWS, signal).then(
        () => 'key',
        (error) =>
          error instanceof KeysUnavailable
            ? `503 in ${error.retryAfter}`
            : ((error as TokenProblem).key ?? String(error)),
      ),
  }
}

/** Lets everything run that waits for nothing else. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('many tokens, one fetch; then none until the keys are old', async (t) => {
  const { find, fetches, pass } = rig(t)
  const found = Promise.all([find('first'), find('first'), find('second')])
  await turn()
  t.equal(fetches.length, 1)
  fetches[0]!.answer(first.jwk, second.jwk)
  t.strictSame(await found, ['key', 'key', 'key'])
  pass(599_999)
  t.equal(await find('first'), 'key')
  t.equal(fetches.length, 1)
})

t.test('start begins to fetch and does not wait', async (t) => {
  const { keys, find, fetches } = rig(t)
  t.equal(keys.start(), undefined)
  t.equal(fetches.length, 1)
  const found = find('first')
  fetches[0]!.answer(first.jwk)
  t.equal(await found, 'key')
  t.equal(fetches.length, 1)
})

t.test('an unknown key causes one fetch in each cooldown', async (t) => {
  const { find, fetches, pass } = rig(t)
  const found = find('first')
  fetches[0]!.answer(first.jwk)
  await found
  t.equal(await find('second'), 'unknownKey', 'just fetched: not asked again')
  t.equal(fetches.length, 1)
  pass(30_000)
  const rotated = Promise.all([find('second'), find('second')])
  await turn()
  t.equal(fetches.length, 2)
  fetches[1]!.answer(second.jwk)
  t.strictSame(await rotated, ['key', 'key'])
  t.equal(await find('first'), 'unknownKey', 'the old one is out')
})

t.test('a key that was taken out is gone when the keys are old', async (t) => {
  const { find, fetches, pass } = rig(t)
  const found = find('first')
  fetches[0]!.answer(first.jwk)
  await found
  pass(600_000)
  const later = find('first')
  await turn()
  t.equal(fetches.length, 2, 'asked before the old key is used')
  fetches[1]!.answer(second.jwk)
  t.equal(await later, 'unknownKey')
})

t.test('issuer down: known keys go on, nobody waits for it, and not for ever', async (t) => {
  const { find, fetches, lines, pass } = rig(t)
  const found = find('first')
  fetches[0]!.answer(first.jwk)
  await found
  pass(600_000)
  const later = find('first')
  await turn()
  fetches[1]!.fail()
  t.equal(await later, 'key')
  t.equal(await find('first'), 'key')
  t.equal(fetches.length, 2, 'not asked again at once')
  pass(5_000)
  t.equal(await find('first'), 'key', 'asked again, and not waited for')
  t.equal(fetches.length, 3)
  fetches[2]!.fail()
  await turn()
  t.equal(await find('second'), '503 in 5', 'nobody knows whether that key is new')
  t.strictSame(lines, ["the issuer's keys cannot be had"], 'said once')
  pass(3_600_000 - 605_000)
  const expired = find('first')
  await turn()
  fetches[3]!.fail()
  t.equal(await expired, '503 in 5', 'kept too long')
  pass(5_000)
  const back = find('first')
  await turn()
  fetches[4]!.answer(first.jwk)
  t.equal(await back, 'key')
  t.equal(lines.at(-1), "the issuer's keys can be had again")
})

t.test('issuer down from the start: refused at once until it is asked again', async (t) => {
  const { find, fetches, pass } = rig(t)
  const found = find('first')
  fetches[0]!.fail()
  t.equal(await found, '503 in 5')
  pass(2_000)
  t.equal(await find('first'), '503 in 3')
  t.equal(fetches.length, 1)
})

t.test('issuer hangs: who leaves is let go, and the fetch goes on for others', async (t) => {
  const { find, fetches, left } = rig(t)
  const gone = find('first', left.signal)
  const stays = find('first')
  await turn()
  left.abort()
  t.equal(await gone, '503 in 1')
  t.notOk(fetches[0]!.signal.aborted)
  fetches[0]!.answer(first.jwk)
  t.equal(await stays, 'key')
})

t.test('issuer hangs: the fetch ends in time, whatever the garbage collector takes meanwhile', async (t) => {
  const { find, fetches } = rig(t, 200)
  const found = find('first')
  const { signal } = fetches[0]!
  let overAt = 0
  // Held as fetch() holds it: by nothing but the signal itself.
  signal.addEventListener('abort', () => {
    overAt = performance.now()
    fetches[0]!.fail()
  })
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    collectGarbage()
  }
  await eventually(() => overAt > 0 || 'the fetch goes on')
  t.equal(await found, '503 in 5')
})

t.test('stop ends a fetch', async (t) => {
  const { keys, fetches, lines } = rig(t)
  keys.start()
  keys.stop()
  t.ok(fetches[0]!.signal.aborted)
  fetches[0]!.fail()
  await turn()
  t.strictSame(lines, [])
})

t.test('keys that cannot be used', async (t) => {
  const rsa = await makeKey('RS256', 'rsa')
  const cases: readonly (readonly [string, JWK[], string])[] = [
    ['without kid, one key', [first.jwk, rsa.jwk], 'key'],
    ['without kid, two of the kind', [first.jwk, second.jwk], 'ambiguousKey'],
    ['none of the kind', [rsa.jwk], 'unknownKey'],
    ['for encryption', [{ ...first.jwk, use: 'enc' }], 'unknownKey'],
    ['for another algorithm', [{ ...first.jwk, alg: 'ES384' }], 'unknownKey'],
    ['no key at all', [], 'unknownKey'],
    ['not a point of the curve', [{ ...first.jwk, x: 'AAAA' }], '503 in 30'],
    ['a private key', [{ ...first.jwk, d: 'AAAA' }], '503 in 30'],
  ]
  for (const [what, set, expected] of cases) {
    const { find, fetches } = rig(t)
    const found = find(undefined)
    fetches[0]!.answer(...set)
    t.equal(await found, expected, what)
  }
})

t.test('an RSA key of 1024 bits is not used', async (t) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const { keys, fetches } = rig(t)
  const found = keys.find({ alg: 'RS256' }, JWS, new AbortController().signal)
  fetches[0]!.answer({ ...(publicKey.export({ format: 'jwk' }) as JWK) })
  t.match(await found.catch((error) => error), { retryAfter: 30 })
})
