/** What stops the start, and what it says. */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import authJwt from '../../../plugins/auth-jwt/index.js'
import { startGateway } from '../../support/gateway.js'

const SECRET = 'a secret that is long enough for HS256'
const pair = (type: string, options: object) =>
  (generateKeyPairSync as (type: string, options: object) => { publicKey: KeyObject; privateKey: KeyObject })(
    type,
    options,
  )
const rsa = pair('rsa', { modulusLength: 2048 })
const ec = pair('ec', { namedCurve: 'P-256' })
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' })
const jwk = (key: KeyObject, more = {}) => JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })

const dir = t.testdir({
  'rsa.pem': spki(rsa.publicKey),
  'rsa-private.pem': rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  'rsa.jwk': jwk(rsa.publicKey),
  'rsa-private.jwk': jwk(rsa.privateKey),
  'rsa-rs512.jwk': jwk(rsa.publicKey, { alg: 'RS512' }),
  'rsa-es256.jwk': jwk(rsa.publicKey, { alg: 'ES256' }),
  'rsa-enc.jwk': jwk(rsa.publicKey, { use: 'enc' }),
  'rsa-1024.pem': spki(pair('rsa', { modulusLength: 1024 }).publicKey),
  'ec.pem': spki(ec.publicKey),
  'ed25519.pem': spki(pair('ed25519', {}).publicKey),
  'secp256k1.pem': spki(pair('ec', { namedCurve: 'secp256k1' }).publicKey),
  'x25519.pem': spki(pair('x25519', {}).publicKey),
  'oct.jwk': JSON.stringify({ kty: 'oct', k: 'AAAA' }),
  'set.jwks': JSON.stringify({ keys: [ec.publicKey.export({ format: 'jwk' })] }),
  'nonsense.pem': 'SENSITIVE nonsense',
  'nonsense.jwk': '{ SENSITIVE nonsense',
})
const file = (name: string) => ({ publicKeyFile: `${dir}/${name}`, issuer: 'i' })

const REFUSED: readonly (readonly [what: string, config: object, says: RegExp])[] = [
  ['no key', { issuer: 'i' }, /found no key; expected one of secret, secretEnv, publicKeyFile, jwksUrl/],
  ['no issuer and no audience', { secret: SECRET }, /found neither issuer nor audience.*anyAudience: true/],
  ['an empty list of audiences', { secret: SECRET, audience: [] }, /config\.audience/],
  ['an empty audience', { secret: SECRET, audience: '' }, /config\.audience/],
  [
    'anyAudience beside audience',
    { secret: SECRET, audience: 'a', anyAudience: true },
    /config\.anyAudience: found beside audience/,
  ],
  ['an unknown key', { secret: SECRET, issuer: 'i', algorithm: ['HS256'] }, /algorithm/],
  [
    'a secret beside a JWKS',
    { secret: SECRET, jwksUrl: 'https://i.test/', issuer: 'i' },
    /found secret and jwksUrl; .*key confusion; keep one/,
  ],
  [
    'a secret beside a public key',
    { secretEnv: 'X', ...file('rsa.pem') },
    /found secretEnv and publicKeyFile; .*key confusion/,
  ],
  [
    'two public sources',
    { ...file('rsa.pem'), jwksUrl: 'https://i.test/' },
    /found publicKeyFile and jwksUrl; keep one/,
  ],
  [
    'HS256 with a public key',
    { ...file('rsa.pem'), algorithms: ['RS256', 'HS256'] },
    /config\.algorithms: found HS256 with publicKeyFile.*key confusion/,
  ],
  [
    'HS256 with a JWKS',
    { jwksUrl: 'https://i.test/', issuer: 'i', algorithms: ['HS256'] },
    /found HS256 with jwksUrl.*key confusion/,
  ],
  [
    'RS256 with a secret',
    { secret: SECRET, issuer: 'i', algorithms: ['RS256'] },
    /found RS256 with secret.*key confusion/,
  ],
  [
    'none',
    { secret: SECRET, issuer: 'i', algorithms: ['none'] },
    /found "none", which is no signature at all; expected one of HS256/,
  ],
  ['nOnE', { secret: SECRET, issuer: 'i', algorithms: ['nOnE'] }, /found "none", which is no signature/],
  ['an unknown algorithm', { secret: SECRET, issuer: 'i', algorithms: ['RS1'] }, /found "RS1"; expected one of/],
  ['no algorithm', { secret: SECRET, issuer: 'i', algorithms: [] }, /config\.algorithms/],
  [
    'ES256 with an RSA key',
    { ...file('rsa.pem'), algorithms: ['ES256'] },
    /found ES256 with an RSA key, which is good for RS256/,
  ],
  [
    'ES384 with a P-256 key',
    { ...file('ec.pem'), algorithms: ['ES384'] },
    /found ES384 with an EC key on prime256v1, which is good for ES256/,
  ],
  [
    'RS256 with a key for RS512',
    { ...file('rsa-rs512.jwk'), algorithms: ['RS256'] },
    /found RS256 with an RSA key, which is good for RS512/,
  ],
  [
    'a short secret',
    { secret: 'SENSITIVE', issuer: 'i' },
    /secret: found 9 bytes, expected at least 32 for HS256; make one with: openssl/,
  ],
  [
    'a secret too short for HS512',
    { secret: SECRET, issuer: 'i', algorithms: ['HS512'] },
    /found 38 bytes, expected at least 64 for HS512/,
  ],
  ['base64 that is short', { secret: 'U0VOU0lUSVZF', secretEncoding: 'base64', issuer: 'i' }, /found 9 bytes/],
  [
    'base64 that is none',
    { secret: `${SECRET}!`, secretEncoding: 'base64', issuer: 'i' },
    /other characters than those of base64/,
  ],
  [
    'a public key as the secret',
    { secret: spki(rsa.publicKey), issuer: 'i' },
    /found a key, not a secret.*anybody make tokens.*publicKeyFile/,
  ],
  ['a JWK as the secret', { secret: jwk(rsa.publicKey), issuer: 'i' }, /found a key, not a secret/],
  [
    'a variable that is not set',
    { secretEnv: 'PIPEGATE_TEST_NOT_SET', issuer: 'i' },
    /variable PIPEGATE_TEST_NOT_SET is not set/,
  ],
  ['a file that is not there', file('nowhere.pem'), /nowhere\.pem cannot be read \(ENOENT\)/],
  ['a private key', file('rsa-private.pem'), /holds a private key.*openssl pkey/],
  ['a private JWK', file('rsa-private.jwk'), /holds a private key/],
  ['a secret as a JWK', file('oct.jwk'), /holds a shared secret.*secretEnv/],
  ['a set of keys', file('set.jwks'), /holds a set of keys/],
  ['a key for encryption', file('rsa-enc.jwk'), /"use": "enc"/],
  ['a JWK that contradicts itself', file('rsa-es256.jwk'), /says "alg": "ES256", but holds an RSA key/],
  ['a short RSA key', file('rsa-1024.pem'), /an RSA key of 1024 bits, expected at least 2048/],
  ['another curve', file('secp256k1.pem'), /type ec secp256k1, expected RSA, EC/],
  ['a key that cannot sign', file('x25519.pem'), /type x25519, expected/],
  ['nonsense', file('nonsense.pem'), /holds no public key; expected PEM/],
  ['nonsense in braces', file('nonsense.jwk'), /holds no public key/],
  ['no address', { jwksUrl: 'SENSITIVE', issuer: 'i' }, /config\.jwksUrl: found no http or https address/],
  ['another scheme', { jwksUrl: 'file:///SENSITIVE', issuer: 'i' }, /found no http or https address/],
  ['http', { jwksUrl: 'http://SENSITIVE.test/', issuer: 'i' }, /found http, over which anybody.*allowHttp: true/],
  ['a password in the address', { jwksUrl: 'https://a:SENSITIVE@i.test/', issuer: 'i' }, /found a user or password/],
  [
    'keys kept shorter than used',
    { jwksUrl: 'https://i.test/', issuer: 'i', jwksKeep: 60 },
    /jwksKeep: found 60, expected at least jwksMaxAge \(600\)/,
  ],
  ['a project with a space', { secret: SECRET, issuer: 'i', defaultProject: 'a b' }, /defaultProject: expected a word/],
  ['an unknown right', { secret: SECRET, issuer: 'i', defaultRights: ['delete'] }, /defaultRights/],
  ['a scope with a space', { secret: SECRET, issuer: 'i', rights: { send: 'a b' } }, /rights\.send/],
  [
    'names without a claim for them',
    { secret: SECRET, issuer: 'i', defaultNames: ['a'] },
    /defaultNames: found without namesClaim/,
  ],
]

for (const [what, config, says] of REFUSED) {
  t.test(`refused: ${what}`, async (t) => {
    const error = await startGateway(t, {}, { plugins: [{ plugin: authJwt, config }] }).then(
      () => new Error('it started'),
      (error: Error) => error,
    )
    t.match(error.message, says)
    t.notMatch(error.message, /SENSITIVE|a secret that is/, 'nothing secret is said')
    t.notMatch(error.message, /\n/, 'one line')
  })
}

t.test('what starts', async (t) => {
  process.env.JWT_TEST_SECRET = SECRET
  t.teardown(() => delete process.env.JWT_TEST_SECRET)
  const configs = [
    { secret: SECRET, issuer: 'i' },
    { secret: SECRET, anyAudience: true },
    { secretEnv: 'JWT_TEST_SECRET', audience: ['a', 'b'] },
    { secret: Buffer.alloc(64, 7).toString('base64url'), secretEncoding: 'base64', issuer: 'i', algorithms: ['HS512'] },
    ...['rsa.pem', 'rsa.jwk', 'rsa-rs512.jwk', 'ec.pem', 'ed25519.pem'].map(file),
    // Nobody answers there, and the start does not mind.
    { jwksUrl: 'http://127.0.0.1:9/jwks.json', issuer: 'i' },
    { jwksUrl: 'http://[::1]:9/jwks.json', issuer: 'i' },
  ]
  for (const config of configs) {
    const gw = await startGateway(t, {}, { plugins: [{ plugin: authJwt, config }] })
    t.equal((await fetch(gw.url('name'))).status, 401, JSON.stringify(Object.keys(config)))
  }
})
