/** Headers of one connection, and not of the message: RFC 9110, section 7.6.1. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NONE: ReadonlySet<string> = new Set()

/**
 * Names of further headers that `Connection` declares to be of one connection.
 * @param connection the values of all its lines, each with a comma in front
 */
export function connectionOptions(connection: string): ReadonlySet<string> {
  if (connection === '' || /^,(keep-alive|close)$/i.test(connection)) return NONE
  return new Set(connection.split(',').map((each) => each.trim().toLowerCase()))
}
