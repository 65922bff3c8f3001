/** What is encrypted here, Debian's `age` decrypts, and the other way round. */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseIdentities, parseRecipients } from '../../../client/encryption/keys.js'
import { eventually } from '../../support/eventually.js'
import { Pty } from '../watch/pty.js'
import { decrypted, encrypted, piped } from './streams.js'

/** Around the size of a chunk, 65536, and of two: where an end is easily misjudged. */
const SIZES = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 1_000_000]

const PASSPHRASE = 'amber-otter-lantern-maple-ünï'

function keyFile(folder: string, name: string): { file: string; recipient: string; text: string } {
  const file = join(folder, name)
  execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' })
  const text = readFileSync(file, 'utf8')
  return { file, text, recipient: execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim() }
}

t.test('keys', async (t) => {
  const folder = t.testdir()
  const [ours, theirs] = [keyFile(folder, 'ours'), keyFile(folder, 'theirs')]
  const identities = parseIdentities(ours.text, 'ours')
  const recipients = parseRecipients(`# two\n${theirs.recipient}\n\n${ours.recipient}\n`, 'recipients')
  for (const size of SIZES) {
    const plain = randomBytes(size)
    const cipher = await encrypted(plain, { recipients }, 10_007)
    for (const { file } of [ours, theirs]) {
      t.ok((await piped('age', ['-d', '-i', file], cipher)).equals(plain), `age decrypts ${size} bytes with ${file}`)
    }
    const back = await piped('age', ['-r', theirs.recipient, '-r', ours.recipient], plain)
    const { plain: read, error } = await decrypted(back, { identities }, 10_007)
    t.equal(error, undefined)
    t.ok(read.equals(plain), `${size} bytes of age are decrypted`)
  }
})

t.test('a passphrase, which age asks for on a terminal', async (test) => {
  const folder = t.testdir()
  const plain = randomBytes(200_000)
  const [from, to, again] = [join(folder, 'cipher'), join(folder, 'plain'), join(folder, 'again')]
  writeFileSync(from, await encrypted(plain, { passphrase: PASSPHRASE }))
  await typed(test, `age -d -o '${to}' '${from}'`, ['Enter passphrase'])
  test.ok(readFileSync(to).equals(plain), 'age decrypts it')
  await typed(test, `age -p -o '${again}' '${to}'`, ['Enter passphrase', 'Confirm passphrase'])
  const cipher = readFileSync(again)
  test.ok(cipher.toString('latin1').includes('-> scrypt '))
  const { plain: read, error } = await decrypted(cipher, { passphrase: PASSPHRASE })
  test.equal(error, undefined)
  test.ok(read.equals(plain), 'what age encrypted with it is decrypted')
  test.equal((await decrypted(cipher, { passphrase: 'amber-otter-lantern' })).error, 'The passphrase is wrong.')
})

/** Runs a command on a terminal, and types the passphrase at each prompt. */
async function typed(t: Test, line: string, prompts: readonly string[]): Promise<void> {
  const pty = new Pty(t, line, { columns: 200 })
  for (const prompt of prompts) {
    await eventually(() => pty.text.includes(prompt) || `no "${prompt}" in "${pty.text}"`)
    pty.type(`${PASSPHRASE}\n`)
  }
  if ((await pty.ended) !== 0) throw new Error(`${line} failed: ${pty.text}`)
}
