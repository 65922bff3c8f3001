/** What is encrypted here, and what becomes of it when it is changed, cut off, or opened by somebody else. */

import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import t from 'tap'
import { decrypting } from '../../../client/encryption/decrypting.js'
import { encrypting } from '../../../client/encryption/encrypting.js'
import { unsealedBytes } from '../../../client/receive/unseal.js'
import { inReusedMemory } from '../../support/reused-memory.js'
import { decrypted, encrypted } from './streams.js'

const identities = [await generateIdentity()]
const recipients = [await identityToRecipient(identities[0]!)]

t.test('the length is known before', async (t) => {
  for (const size of [0, 1, 65536, 65537, 300_000]) {
    const { length } = await encrypted(randomBytes(size), { recipients })
    t.equal((await encrypting({ recipients })).lengthOf(size), length, `${size} bytes`)
  }
})

t.test('no two are the same, and none has the plaintext in it', async (t) => {
  const plain = Buffer.alloc(100_000, 'secret ')
  const [a, b] = [await encrypted(plain, { recipients }), await encrypted(plain, { recipients })]
  t.notOk(a.equals(b))
  t.notOk(a.includes('secret'))
  t.notOk(a.subarray(-1000).equals(b.subarray(-1000)))
})

t.test('from a stream that uses its memory again', async (t) => {
  const plain = randomBytes(300_000)
  const cipher = await encrypted(plain, { recipients })
  for (const size of [100, 5000, 100_000]) {
    const pieces: Buffer[] = []
    for await (const piece of unsealedBytes(inReusedMemory(cipher, size), { identities })) pieces.push(piece)
    t.ok(Buffer.concat(pieces).equals(plain), `in pieces of ${size} bytes`)
  }
})

t.test('cut off at any place, it is an error, and what came is a beginning', async (t) => {
  const plain = randomBytes(200_000)
  const cipher = await encrypted(plain, { recipients })
  const header = cipher.indexOf('\n--- ')
  const payload = cipher.indexOf('\n', header + 1) + 1 + 16
  const chunk = 65536 + 16
  const ends = [0, 1, 21, 22, 50, header, header + 10, payload - 16, payload - 1, payload, payload + 1, payload + 15]
  ends.push(payload + 16, payload + chunk - 1, payload + chunk, payload + chunk + 1, payload + 3 * chunk)
  ends.push(cipher.length - 17, cipher.length - 16, cipher.length - 1)
  for (const end of ends) {
    const { plain: read, error } = await decrypted(cipher.subarray(0, end), { identities }, 8191)
    t.match(error, /cut off/, `${end} of ${cipher.length} bytes`)
    t.ok(plain.subarray(0, read.length).equals(read))
    t.ok(read.length < plain.length)
  }
})

t.test('changed in any place, it is an error, and what came is a beginning', async (t) => {
  const plain = randomBytes(140_000)
  const cipher = await encrypted(plain, { recipients })
  const places = Array.from({ length: 200 }, (_, i) => Math.floor((i * cipher.length) / 200))
  for (const at of [...places, cipher.length - 1]) {
    const changed = Buffer.from(cipher)
    changed[at]! ^= 1 << (at % 8)
    const { plain: read, error } = await decrypted(changed, { identities })
    t.type(error, 'string', `byte ${at}`)
    t.ok(plain.subarray(0, read.length).equals(read))
  }
})

t.test('chunks that are moved, doubled, left out or put behind the end', async (t) => {
  const cipher = await encrypted(randomBytes(3 * 65536 + 1000), { recipients })
  const start = cipher.indexOf('\n', cipher.indexOf('\n--- ') + 1) + 17
  const part = (i: number) => cipher.subarray(start + i * 65552, start + (i + 1) * 65552)
  const made = (...chunks: Buffer[]) => Buffer.concat([cipher.subarray(0, start), ...chunks])
  t.equal((await decrypted(made(part(0), part(1), part(2), part(3)), { identities })).error, undefined)
  for (const wrong of [
    made(part(1), part(0), part(2), part(3)),
    made(part(0), part(0), part(1), part(2), part(3)),
    made(part(0), part(2), part(3)),
    made(part(3)),
  ]) {
    t.match((await decrypted(wrong, { identities })).error, /changed/)
  }
  const behind = made(part(0), part(1), part(2), part(3), Buffer.from('more'))
  t.match((await decrypted(behind, { identities })).error, /changed/)
})

t.test('what does not open it says why', async (t) => {
  const plain = Buffer.from('hello')
  const forKeys = await encrypted(plain, { recipients })
  const withWords = await encrypted(plain, { passphrase: 'amber-otter' })
  const others = [await generateIdentity(), await generateIdentity()]
  const cases: [Buffer, Parameters<typeof decrypting>[0], string][] = [
    [withWords, { passphrase: 'amber-ottre' }, 'The passphrase is wrong.'],
    [
      forKeys,
      { passphrase: 'amber-otter' },
      'It is encrypted for keys, not with a passphrase: name the file of yours.',
    ],
    [withWords, { identities }, 'It is encrypted with a passphrase, not for keys.'],
    [forKeys, { identities: others }, 'It is not encrypted for any of your keys.'],
    [Buffer.from('PK\x03\x04 this is a zip file'), { identities }, 'It is not encrypted with age.'],
    [Buffer.from('short'), { identities }, 'It is not encrypted with age.'],
    [
      Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\nYWdl'),
      { identities },
      'It is encrypted as text (age -a): decrypt it with "age -d".',
    ],
    [
      Buffer.concat([forKeys.subarray(0, 22), Buffer.alloc(300_000, 'a')]),
      { identities },
      'Its header has more than 262144 bytes.',
    ],
  ]
  for (const [cipher, secret, sentence] of cases) t.equal((await decrypted(cipher, secret)).error, sentence)
  t.same(await decrypted(withWords, { passphrase: 'amber-otter' }), { plain, error: undefined })
  t.same(await decrypted(forKeys, { identities: [...others, ...identities] }, 1), { plain, error: undefined })
})

t.test('a header that asks for too much work is not believed', async (t) => {
  const cipher = (await encrypted(Buffer.from('x'), { passphrase: 'a' })).toString('latin1')
  const changed = (to: string) => Buffer.from(cipher.replace(/ 18\n/, ` ${to}\n`), 'latin1')
  t.match((await decrypted(changed('21'), { passphrase: 'a' })).error, /2\^21 rounds of scrypt/)
  for (const damaged of ['0', '018', '-1', '1e1', '999']) {
    t.equal((await decrypted(changed(damaged), { passphrase: 'a' })).error, 'Its header is damaged.', damaged)
  }
  const doubled = Buffer.from(cipher.replace(/\n---/, '\n-> X25519 abc\n\n---'), 'latin1')
  t.equal((await decrypted(doubled, { passphrase: 'a' })).error, 'Its header is damaged.')
})

t.test('the source waits for who reads', async (t) => {
  const MIB = 1 << 20
  let given = 0
  const source = Readable.from(
    (function* () {
      for (; given < 64; given++) yield Buffer.alloc(MIB)
    })(),
    { objectMode: false },
  )
  const through = source.pipe(await encrypting({ recipients })).pipe(decrypting({ identities }))
  let read = 0
  let most = 0
  for await (const piece of through) {
    read += piece.length
    most = Math.max(most, given * MIB - read)
  }
  t.equal(read, 64 * MIB)
  t.ok(most < 8 * MIB, `${most} bytes were on their way`)
})

t.test('the error of the source is the error of the whole, and no end', async (t) => {
  const cipher = await encrypted(randomBytes(200_000), { recipients })
  const source = Readable.from(
    (async function* () {
      yield cipher.subarray(0, 150_000)
      throw new Error('the line was cut')
    })(),
    { objectMode: false },
  )
  let ended = false
  const through = decrypting({ identities }).on('end', () => {
    ended = true
  })
  await t.rejects(
    pipeline(source, through, async (from) => {
      for await (const _ of from);
    }),
    { message: 'the line was cut' },
  )
  t.notOk(ended)
})
