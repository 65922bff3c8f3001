/** The headers that a command of the program sends because its caller said so. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { WrongUsage } from '../cli/wrong-usage.js'

/**
 * Who asks. What was said for this one call outranks the environment.
 * @param flag the value of `--token`
 * @param credentials `user:password` of the address
 * @throws WrongUsage
 */
export function authorization(
  flag: string | undefined,
  credentials: string | undefined,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  if (flag === undefined && credentials !== undefined) {
    return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  }
  const token = flag ?? env.PIPEGATE_TOKEN ?? ''
  if (token === '') return {}
  if (!/^[\x21-\x7e]+$/.test(token)) throw new WrongUsage('the token has characters that no token can have')
  return { authorization: `Bearer ${token}` }
}

/** The values of `--header`, names in lower case. @throws WrongUsage */
export function headersOf(given: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [i, line] of given.entries()) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).trim()
    const value = line.slice(colon + 1).trim()
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      throw new WrongUsage(`--header, number ${i + 1}: expected 'NAME: VALUE'`)
    }
    headers[name.toLowerCase()] = value
  }
  return headers
}
