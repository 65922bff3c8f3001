import { createHmac, timingSafeEqual } from 'node:crypto'

export type LinkRight = 'watch' | 'receive'

/** What a link allows. */
export interface Grant {
  readonly project: string
  /** As the gateway compares names. */
  readonly name: string
  readonly right: LinkRight
  /** Seconds since 1970; at that second it is over. */
  readonly expiry: number
}

// Nothing else that is signed with the same secret can be taken for a link.
const PURPOSE = 'pipegate link 1\0'

function macOf(payload: string, secret: string): string {
  return createHmac('sha256', secret).update(PURPOSE).update(payload).digest('base64url')
}

/** `payload.mac`, both base64url; the payload is a JSON list of project, name, right and expiry. */
export function sign({ project, name, right, expiry }: Grant, secret: string): string {
  const payload = Buffer.from(JSON.stringify([project, name, right, expiry])).toString('base64url')
  return `${payload}.${macOf(payload, secret)}`
}

/**
 * What a signature allows; undefined when it was not made with this secret. Texts are compared, not what they decode to: bytes
 * have more than one spelling in base64url, and only the one that was given out is good.
 */
export function verify(signature: string, secret: string): Grant | undefined {
  const dot = signature.indexOf('.')
  const payload = signature.slice(0, Math.max(0, dot))
  const wanted = Buffer.from(macOf(payload, secret))
  const found = Buffer.from(signature.slice(dot + 1))
  if (found.length !== wanted.length || !timingSafeEqual(found, wanted)) return undefined
  const [project, name, right, expiry] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  return { project, name, right, expiry }
}
