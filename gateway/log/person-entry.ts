import { loggable } from './loggable.js'
import type { Marks } from './marks.js'
import { timeOfDay } from './words.js'

/** Levels of pino. */
export const WARN = 40
const ERROR = 50

interface Entry {
  readonly level: number
  readonly time: number
  readonly msg?: string
  readonly plugin?: string
  readonly err?: unknown
  readonly url?: unknown
  readonly [field: string]: unknown
}

/** Any other line of the log, from its JSON: `16:23:03 · listening  http://127.0.0.1:8080/  version 1.0.0` */
export function entryForPerson(json: string, marks: Marks): string {
  const entry = JSON.parse(json) as Entry
  const { level, time } = entry
  const mark = level >= ERROR ? marks.failed : level >= WARN ? marks.warning : marks.plain
  return `${timeOfDay(time)} ${mark} ${entryText(entry, '  ')}\n`
}

/** The same as one sentence, without time and mark. */
export function textForPerson(json: string): string {
  return entryText(JSON.parse(json) as Entry, ': ')
}

function entryText({ level, time, msg = '', plugin, err, url, ...fields }: Entry, between: string): string {
  const parts = Object.entries(fields).map(([name, value]) =>
    name === 'plugins' ? pluginNames(value) : `${loggable(name)} ${shown(value)}`,
  )
  if (err !== undefined) parts.unshift(errorInWords(err))
  const from = plugin === undefined ? '' : `${loggable(plugin)}: `
  // An address is for a click or a copy, without a comma behind it.
  const columns = [from + loggable(msg), url === undefined ? '' : shown(url), parts.join(', ')]
  return columns.filter((column) => column !== '').join(between)
}

/** Its message, its kind, and the place where it was thrown: the whole stack is in the JSON format. */
function errorInWords(err: unknown): string {
  if (typeof err !== 'object' || err === null) return shown(err)
  const { type = 'Error', message, stack } = err as { type?: unknown; message?: unknown; stack?: unknown }
  if (message === undefined) return shown(err)
  const place = /\n\s+at (.+)/.exec(String(stack))?.[1]
  return `${shown(message)} (${shown(type)}${place === undefined ? '' : ` at ${loggable(place)}`})`
}

/** Each comes with what it does, which is for a longer line. */
function pluginNames(plugins: unknown): string {
  return shown(Array.isArray(plugins) ? plugins.map((each) => String(each).split(': ', 1)[0]).join(', ') : plugins)
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join('; ')
  return loggable(typeof value === 'string' ? value : JSON.stringify(value))
}
