/** Checks of statuses, headers and answers that plugins made: uWebSockets writes what it is given, line breaks too. */
import type { Answer, HeaderList } from './answer.js'

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const FIELD_VALUE = /^[\x20-\x7e\x80-\xff]*$/
/** The gateway alone decides where a response ends and what becomes of the connection. */
const FRAMING = /^(content-length|transfer-encoding|connection)$/i

/** @throws TypeError or RangeError when the header cannot stand in a response */
export function validateHeader(name: unknown, value: unknown): readonly [name: string, value: string] {
  if (typeof name !== 'string' || typeof value !== 'string')
    throw new TypeError(`the header ${String(name)} is no text`)
  if (!FIELD_NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a header`)
  if (FRAMING.test(name)) throw new RangeError(`the header ${name} is the gateway's own`)
  if (!FIELD_VALUE.test(value))
    throw new RangeError(`the header ${name} has a control character, or one beyond Latin-1`)
  return [name, value]
}

/** Returns a copy, so that its owner cannot change it after the check. @throws like `validateHeader` */
export function validateHeaders(headers: HeaderList): HeaderList {
  return Array.from(headers, ([name, value]) => validateHeader(name, value))
}

const VALIDATED = new WeakMap<HeaderList, HeaderList>()

/**
 * The same for a list that is used again and again: a frozen list is checked only once. @throws like `validateHeader`
 */
export function validateHeadersOnce(headers: HeaderList): HeaderList {
  const known = VALIDATED.get(headers)
  if (known !== undefined) return known
  const valid = validateHeaders(headers)
  if (Object.isFrozen(headers)) VALIDATED.set(headers, valid)
  return valid
}

/** @throws RangeError when no final response can have this status; interim ones (1xx) are not allowed */
export function validateStatus(status: unknown): number {
  if (Number.isInteger(status) && (status as number) >= 200 && (status as number) < 600) return status as number
  throw new RangeError(`the status ${String(status)} is not one of 200 to 599`)
}

/** Reads each member once and returns a copy. @throws TypeError or RangeError when it is no valid answer */
export function validateAnswer(answer: unknown): Answer {
  const { status, headers, body } = answer as Answer
  if (typeof body !== 'string') throw new TypeError('the body of an answer is no text')
  return { status: validateStatus(status), headers: validateHeaders(headers), body }
}
