import { z } from 'zod'

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

const schema = z.object({
  kind: z.enum(['file', 'tar', 'text', 'stream']),
  name: z.string().max(1024).optional(),
  mode: z.int().min(0).max(0o777).optional(),
  // Beyond the year 9999 some disks fail, and when all has come is too late for that.
  mtime: z.number().min(-LATEST_MS).max(LATEST_MS).optional().catch(undefined),
  files: z.int().min(0).optional(),
  bytes: z.int().min(0).optional(),
  encrypted: z.literal(true).optional(),
}) satisfies z.ZodType<Description>

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
    return schema.parse(JSON.parse(text.slice(at + MARK.length)))
  } catch {
    return undefined
  }
}
