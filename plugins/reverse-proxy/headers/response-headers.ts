import type { HeaderList } from '../../../gateway/host/plugin-api.js'
import { connectionOptions, HOP_BY_HOP } from './hop-by-hop.js'

/** The gateway writes these itself. */
const OWN_OF_RESPONSE = new Set(['content-length', 'date'])

/** What else than visible characters, spaces and tabs a header must not have. */
const UNSOUND = /[^\t\x20-\x7e\x80-\xff]/

/**
 * What of an upstream's response is the client's business.
 * @param raw names and values by turns, as Node has them
 * @returns undefined when one of them cannot stand in a response, or when the body has a coding that would lose its name
 */
export function responseHeaders(raw: readonly string[]): HeaderList | undefined {
  let connection = ''
  let coding = ''
  for (let i = 0; i < raw.length; i += 2) {
    const { length } = raw[i]!
    if (length === 10 && raw[i]!.toLowerCase() === 'connection') connection += `,${raw[i + 1]}`
    if (length === 17 && raw[i]!.toLowerCase() === 'transfer-encoding') coding += `,${raw[i + 1]}`
  }
  if (coding !== '' && !/^,chunked$/i.test(coding)) return undefined
  const dropped = connectionOptions(connection)
  const headers: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const value = raw[i + 1]!
    const lower = name.toLowerCase()
    if (HOP_BY_HOP.has(lower) || OWN_OF_RESPONSE.has(lower) || dropped.has(lower)) continue
    if (UNSOUND.test(value)) return undefined
    headers.push([name, value.includes('\t') ? value.replaceAll('\t', ' ') : value])
  }
  return headers
}
