import * as v from 'valibot'
import type { FileSummary } from '../archive/entry.js'
import { lineSplitter } from './status-lines.js'

/**
 * The list of files that a receiver has whole, which it tells a sender that is to leave them out: one JSON object a line. It goes over
 * a name of its own beside that of the transfer.
 */
export const HAVE = 'have'

/** A list that is longer is cut there: what it does not name is sent again. */
const MOST_FILES = 2_000_000

/** Bytes of a list. A receiver that sends more wants to fill the memory. */
const MOST_BYTES = 256 << 20
/** Characters of a line: a path of 4096 that is all escapes, and what stands beside it. */
const LONGEST_LINE = 32_768

const ROOTLESS = '{"have":"paths without root"}'

const schema = v.object({
  path: v.pipe(v.string(), v.maxLength(4096)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  mtimeMs: v.number(),
})

/** @param isRootless their paths are within the folder that is sent, whatever that is called */
export async function* writeHave(files: Iterable<FileSummary>, isRootless: boolean): AsyncGenerator<Buffer> {
  yield Buffer.from(isRootless ? `${ROOTLESS}\n` : '{"have":"paths"}\n')
  let lines: string[] = []
  for (const { path, size, mtimeMs } of files) {
    lines.push(JSON.stringify({ path, size, mtimeMs }))
    if (lines.length < 1000) continue
    yield Buffer.from(`${lines.join('\n')}\n`)
    lines = []
  }
  if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`)
}

/** @returns whether a file is on the list, and unchanged since */
export async function readHave(bytes: AsyncIterable<Uint8Array>): Promise<(file: FileSummary) => boolean> {
  const have = new Map<string, string>()
  let isRootless = false
  const read = lineSplitter((line) => {
    isRootless ||= line === ROOTLESS
    const file = lineOf(line)
    if (file !== undefined && have.size < MOST_FILES) have.set(file.path, `${file.size} ${file.mtimeMs}`)
  }, LONGEST_LINE)
  const decoder = new TextDecoder()
  let total = 0
  for await (const chunk of bytes) {
    total += chunk.length
    if (total > MOST_BYTES) throw new Error(`The list of what the receiver has is longer than ${MOST_BYTES} bytes.`)
    read(decoder.decode(chunk, { stream: true }))
  }
  read(`${decoder.decode()}\n`)
  return ({ path, size, mtimeMs }) => {
    const known = have.get(isRootless ? path.slice(path.indexOf('/') + 1) : path)
    return known === `${size} ${mtimeMs}`
  }
}

function lineOf(line: string): v.InferOutput<typeof schema> | undefined {
  try {
    return v.parse(schema, JSON.parse(line))
  } catch {
    return undefined
  }
}
