/** Why something is not encrypted, or not decrypted: one sentence. */
export class EncryptionError extends Error {
  override readonly name = 'EncryptionError'

  constructor(sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? {} : { cause })
  }
}
