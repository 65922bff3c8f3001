import { readFileSync, statSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import type { z } from '../../gateway/host/plugin-api.js'

/** What a list has. */
export interface ListOf<Entry> {
  /** `tokens` */
  readonly what: string
  readonly schema: z.ZodType<Entry[], unknown>
}

/**
 * Reads a YAML list.
 * @throws Error with one line on what is wrong and where, without anything that stands in the file
 */
export function readListFile<Entry>(path: string, list: ListOf<Entry>): Entry[] {
  return parseList(readText(path, list), path, list)
}

function readText(path: string, { what }: ListOf<unknown>): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); expected a list of ${what}`)
  }
}

/** The same from its text. */
export function parseList<Entry>(text: string, path: string, { what, schema }: ListOf<Entry>): Entry[] {
  const lines = new LineCounter()
  // Its messages quote the file, so only the code and the place of an error are told.
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw new Error(`${path}:${line}:${col}: not YAML (${problem.code}); expected a list of ${what}`)
  }
  // A file that is being written is empty for a moment; that must not take away what everybody has.
  if (document.contents === null) throw new Error(`${path}: is empty; for no ${what} at all write []`)
  const result = schema.safeParse(toValue(document, path, what))
  if (result.success) return result.data
  const { path: keys, message } = result.error.issues[0]!
  const place = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  throw new Error(`${path}: ${place === '' ? '' : `${place}: `}${message}`)
}

function toValue(document: ReturnType<typeof parseDocument>, path: string, what: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    throw new Error(`${path}: an alias leads nowhere, or there are too many; expected a list of ${what}`)
  }
}

/** Changes whenever the file does; empty while it is not there. */
export function fileStamp(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
}
