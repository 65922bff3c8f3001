import { Decrypter, Encrypter } from 'age-encryption'
import { EncryptionError } from './encryption-error.js'

/**
 * The keys of an identity file, as `age-keygen` writes it: one a line, `#` begins a comment.
 * @param file its name, for errors; no error shows what is in it
 * @throws EncryptionError
 */
export function parseIdentities(text: string, file: string): string[] {
  if (/^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE)/.test(text)) {
    throw new EncryptionError(`${file} is itself encrypted: decrypt it first, with "age -d".`)
  }
  if (/^-----BEGIN .*PRIVATE KEY-----/.test(text)) {
    throw new EncryptionError(`${file} is a key of another program: make one for age, with "age-keygen".`)
  }
  const keys = linesOf(text, ({ line, number }) => {
    try {
      new Decrypter().addIdentity(line)
    } catch (error) {
      throw new EncryptionError(
        `${file}, line ${number}: this is no key of age, which begins with AGE-SECRET-KEY-1.`,
        error,
      )
    }
  })
  if (keys.length === 0) throw new EncryptionError(`${file} has no key in it.`)
  return keys
}

/**
 * The recipients of a file as `age -R` takes it: one a line, `#` begins a comment.
 * @param file its name, for errors
 * @throws EncryptionError
 */
export function parseRecipients(text: string, file: string): string[] {
  const recipients = linesOf(text, ({ line, number }) => checkRecipient(line, `${file}, line ${number}: `))
  if (recipients.length === 0) throw new EncryptionError(`${file} has no recipient in it.`)
  return recipients
}

/** @param where begins the error. @throws EncryptionError for what is no recipient that `encrypting` can use */
export function checkRecipient(recipient: string, where = ''): void {
  if (recipient.startsWith('AGE-SECRET-KEY-')) {
    throw new EncryptionError(`${where}this is a secret key: a recipient is what it says behind "public key".`)
  }
  if (recipient.startsWith('ssh-')) {
    throw new EncryptionError(`${where}keys of SSH cannot be used here: make one for age, with "age-keygen".`)
  }
  try {
    new Encrypter().addRecipient(recipient)
  } catch (error) {
    throw new EncryptionError(
      `${where}"${recipient.slice(0, 100)}" is no recipient of age, which begins with age1.`,
      error,
    )
  }
}

function linesOf(text: string, check: (line: { line: string; number: number }) => void): string[] {
  const lines = text.split(/\r?\n/).map((line, i) => ({ line: line.trim(), number: i + 1 }))
  const used = lines.filter(({ line }) => line !== '' && !line.startsWith('#'))
  for (const each of used) check(each)
  return used.map(({ line }) => line)
}
