import { isOff, type Parameters } from '../../http/parameters.js'

/**
 * What a request asks for that a kind of name does not know, as it stands in the query; undefined when there is nothing of that. More than
 * one receiver is for plain pipes only.
 * @param mayDigest it may ask for a digest
 */
export function unwanted(parameters: Parameters, names: readonly string[], mayDigest = false): string | undefined {
  const n = parameters.get('n')
  if (n !== undefined && n !== '1') return `?n=${n}`
  const sha256 = parameters.get('sha256')
  if (!mayDigest && sha256 !== undefined && !isOff(sha256)) return '?sha256'
  const found = names.find((name) => parameters.has(name))
  return found && `?${found}`
}
