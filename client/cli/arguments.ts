import { show } from '../../gateway/config/problems/show.js'
import type { Argument, Arguments } from './flags.js'
import { readValue } from './read-value.js'
import { WrongUsage } from './wrong-usage.js'

/**
 * Gives the words that are no flags to the arguments of a command. Those that are required get theirs first, then the optional ones
 * from the left, and a repeated one all that is left.
 * @throws WrongUsage
 */
export function readArguments(wanted: Arguments, words: readonly string[]): Record<string, unknown> {
  const all = Object.entries(wanted)
  const missing = all.filter(([, { optional }]) => !optional)[words.length]
  if (missing !== undefined) throw new WrongUsage(`${missing[1].type.metavar} is missing`)
  const values: Record<string, unknown> = {}
  let at = 0
  // Words beyond those that required arguments need.
  let spare = words.length - all.filter(([, { optional }]) => !optional).length
  for (const [key, argument] of all) {
    const count = countFor(argument, spare)
    spare -= count - (argument.optional ? 0 : 1)
    const read = words.slice(at, at + count).map((word) => readValue(argument.type.metavar, argument.type, word))
    values[key] = argument.repeated ? read : read[0]
    at += count
  }
  const stray = words[at]
  if (stray !== undefined)
    throw unexpected(
      all.map(([, argument]) => argument),
      words.length,
      stray,
    )
  return values
}

function countFor({ optional, repeated }: Argument, spare: number): number {
  const least = optional ? 0 : 1
  return repeated ? least + spare : Math.max(least, Math.min(1, spare))
}

function unexpected(all: readonly Argument[], count: number, stray: string): WrongUsage {
  // Where a secret may stand, a stray word may be one: a line that was cut at a blank.
  if (!all.some(({ type }) => type.secret)) return new WrongUsage(`unexpected argument ${show(stray)}`)
  return new WrongUsage(
    `found ${count} arguments, expected ${all.length}: ${all.map(({ type }) => type.metavar).join(' ')}`,
  )
}
