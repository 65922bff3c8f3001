import { createHmac } from 'node:crypto'

/** 64 bits: enough that two names of one installation do not meet by chance. */
const HEX_CHARACTERS = 16

/** What stands for a text, the same each time, and leads back to it only for who has the salt. */
export class Pseudonyms {
  constructor(readonly salt: string | Buffer) {}

  /** HMAC-SHA256 of the text, 16 hexadecimal characters of it. */
  of(text: string): string {
    return createHmac('sha256', this.salt).update(text).digest('hex').slice(0, HEX_CHARACTERS)
  }
}
