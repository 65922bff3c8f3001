import { readFileSync, statSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { type Entry, entriesSchema } from './entries.js'

/**
 * Reads a YAML list of tokens.
 * @throws Error with one line on what is wrong and where, without anything that stands in the file
 */
export function readTokenFile(path: string): Entry[] {
  return parseTokens(readText(path), path)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); expected a list of tokens`)
  }
}

export function parseTokens(text: string, path: string): Entry[] {
  const lines = new LineCounter()
  // Its messages quote the file, so only the code and the place of an error are told.
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw new Error(`${path}:${line}:${col}: not YAML (${problem.code}); expected a list of tokens`)
  }
  // A file that is being written is empty for a moment; that must not take everybody's token away.
  if (document.contents === null) throw new Error(`${path}: is empty; for no tokens at all write []`)
  const result = entriesSchema.safeParse(toValue(document, path))
  if (result.success) return result.data
  const { path: keys, message } = result.error.issues[0]!
  const place = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  throw new Error(`${path}: ${place === '' ? '' : `${place}: `}${message}`)
}

function toValue(document: ReturnType<typeof parseDocument>, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    throw new Error(`${path}: an alias leads nowhere, or there are too many; expected a list of tokens`)
  }
}

/** Changes whenever the file does; empty while it is not there. */
export function fileStamp(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
}
