import * as v from 'valibot'

/**
 * What a sender tells a receiver of what it sends, in the header `X-Piping`, which pipegate, Hoody Pipe and Piping Server hand on as it
 * is. Who receives with curl or a browser does not need it. Of what is encrypted it says no more than that.
 */
export interface Description {
  /** `file`: its bytes; `tar`: files and folders; `text` and `stream`: for the receiver's standard output. */
  readonly kind: 'file' | 'tar' | 'text' | 'stream'
  /** The name that it has, or of the folder in it. */
  readonly name?: string | undefined
  /** Of the file: permission bits, and when it was changed, in milliseconds since 1970. */
  readonly mode?: number | undefined
  readonly mtime?: number | undefined
  /** In all, before they were put into an archive. */
  readonly files?: number | undefined
  readonly bytes?: number | undefined
  readonly encrypted?: true | undefined
}

const MOST_CHARACTERS = 4096
const LATEST_MS = Date.UTC(10_000, 0) - 1

const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const schema = v.object({
  kind: v.picklist(['file', 'tar', 'text', 'stream']),
  name: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  mode: v.optional(v.pipe(amount, v.maxValue(0o777))),
  // Beyond the year 9999 some disks fail, and when all has come is too late for that.
  mtime: v.fallback(v.optional(v.pipe(v.number(), v.minValue(-LATEST_MS), v.maxValue(LATEST_MS))), undefined),
  files: v.optional(amount),
  bytes: v.optional(amount),
  encrypted: v.optional(v.literal(true)),
})

const MARK = 'pipegate '

/** As a header's value. */
export function writeDescription(description: Description): string {
  const json = JSON.stringify(description)
  return MARK + json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** undefined for what is none: somebody else uses that header too. */
export function readDescription(header: string | readonly string[] | undefined): Description | undefined {
  // Several lines of one name come joined by commas.
  const text = (typeof header === 'string' ? header : header?.join(', ')) ?? ''
  const at = text.indexOf(MARK)
  if (at < 0 || text.length > MOST_CHARACTERS) return undefined
  try {
    return v.parse(schema, JSON.parse(text.slice(at + MARK.length)))
  } catch {
    return undefined
  }
}
