import { nearest } from '../../gateway/config/problems/did-you-mean.js'
import { show } from '../../gateway/config/problems/show.js'
import type { ValueType } from './values.js'
import { WrongUsage } from './wrong-usage.js'

/**
 * @param where the flag as it was written, or the name of the argument
 * @throws WrongUsage
 */
export function readValue<T>(where: string, type: ValueType<T>, text: string): T {
  const value = type.read(text)
  if (value !== undefined) return value
  const found = type.secret ? '' : `found ${show(text)}, `
  const near = type.choices === undefined ? undefined : nearest(text, type.choices)
  throw new WrongUsage(
    `${where}: ${found}expected ${type.expected}${near === undefined ? '' : `; did you mean ${near}?`}`,
  )
}
