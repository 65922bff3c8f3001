import { pino } from 'pino'

/** As long as a name may be, with room for escapes. */
const MAX_TEXT = 1200

/** A client's text without control characters that a terminal would obey, and not too long. */
export function loggable(text: string): string {
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?')
  return plain.length > MAX_TEXT ? `${plain.slice(0, MAX_TEXT)}...` : plain
}

/** An error as the log shows it. What was thrown may be anything, even something that throws when it is looked at. */
export function loggableError(error: unknown): unknown {
  try {
    return pino.stdSerializers.err(error as Error)
  } catch {
    return 'something that cannot be shown'
  }
}
