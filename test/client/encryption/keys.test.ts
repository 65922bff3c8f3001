/** Files of keys, recipients, and words. */

import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import t from 'tap'
import { encrypting } from '../../../client/encryption/encrypting.js'
import { checkRecipient, parseIdentities, parseRecipients } from '../../../client/encryption/keys.js'
import { BITS_PER_WORD, newSecret, newWords, SECRET_WORDS } from '../../../client/encryption/words.js'
import { WORDLIST } from '../../../plugins/pages/wordlist.js'

const key = await generateIdentity()
const recipient = await identityToRecipient(key)

t.test('an identity file', async (t) => {
  const hybrid = await generateHybridIdentity()
  const text = `# created: 2026-11-29T09:00:00Z\r\n# public key: ${recipient}\r\n${key}\r\n\n  ${hybrid}  \n`
  t.same(parseIdentities(text, 'keys.txt'), [key, hybrid])
  const wrong: [string, RegExp][] = [
    ['', /^keys\.txt has no key in it\.$/],
    ['# nothing\n', /^keys\.txt has no key in it\.$/],
    [`# a\n${key.slice(0, -1)}\n`, /^keys\.txt, line 2: this is no key of age/],
    [recipient, /^keys\.txt, line 1: this is no key of age/],
    ['age-encryption.org/v1\n-> scrypt a b\n', /^keys\.txt is itself encrypted/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nx\n', /^keys\.txt is a key of another program/],
  ]
  for (const [content, said] of wrong)
    t.throws(() => parseIdentities(content, 'keys.txt'), { name: 'EncryptionError', message: said })
  try {
    parseIdentities(key.slice(0, -1), 'keys.txt')
  } catch (error) {
    t.notMatch(String(error), new RegExp(key.slice(20, 30)), 'no error shows a secret')
  }
})

t.test('recipients', async (t) => {
  t.same(parseRecipients(`# friends\n${recipient}\n`, 'friends'), [recipient])
  t.throws(() => parseRecipients('\n', 'friends'), { message: 'friends has no recipient in it.' })
  t.throws(() => parseRecipients(`${recipient}x`, 'friends'), { message: /^friends, line 1: "age1.*" is no recipient/ })
  t.throws(() => checkRecipient(key), { message: /^this is a secret key/ })
  t.throws(() => checkRecipient('ssh-ed25519 AAAA'), { message: /^keys of SSH cannot be used/ })
  t.throws(() => checkRecipient('bob'), { message: /^"bob" is no recipient/ })
  await t.rejects(encrypting({ recipients: ['bob'] }), { name: 'EncryptionError' })
  await t.rejects(encrypting({ recipients: [] }), { message: 'Nobody is named for whom to encrypt.' })
  await t.rejects(encrypting({ passphrase: '' }), { message: 'The passphrase is empty.' })
})

t.test('words', async (t) => {
  t.equal(BITS_PER_WORD, 8)
  t.equal(SECRET_WORDS * BITS_PER_WORD, 48)
  const drawn = Array.from({ length: 2000 }, () => newSecret())
  for (const secret of drawn)
    t.ok(secret.split('-').length === SECRET_WORDS && secret.split('-').every((word) => WORDLIST.includes(word)))
  t.equal(new Set(drawn).size, 2000)
  t.equal(new Set(drawn.flatMap((secret) => secret.split('-'))).size, WORDLIST.length, 'every word comes')
  t.equal(newWords(3).split('-').length, 3)
  t.throws(() => newSecret(4), { message: '4 words are 32 bits; a secret has at least 44' })
})
