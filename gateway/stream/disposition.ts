import contentDisposition from 'content-disposition'
import { decodeUtf8, safeFileName } from './file-name.js'

/** What a receiver asks for on its own response. */
export interface DispositionOptions {
  /** `true`: attachment; `false`: no disposition; undefined: as the sender said. */
  readonly download: boolean | undefined
  readonly filename: string | undefined
  /** The name of the pipe, with its percent-escapes: a download that nobody has named is named after its last segment. */
  readonly pipe: string
}

/** Types that a browser displays without running anything. */
const INLINE = /^(?:(?:image|audio|video)\/[^;]*|text\/plain|application\/pdf)[ \t]*(?:;|$)/i

/** Of a field in a form. Piping Server hands it on as it is, and a browser saves what has it. */
const FIELD = /^form-data; ?name="[\x20\x21\x23-\x5b\x5d-\x7e]*"$/i

/**
 * The Content-Disposition of one receiver; undefined when it has none.
 * @param given the sender's Content-Disposition
 * @param type the media type that the receiver is given
 */
export function receiverDisposition(
  given: string | undefined,
  type: string | undefined,
  { download, filename, pipe }: DispositionOptions,
): string | undefined {
  if (download === false) return undefined
  if (filename !== undefined) return contentDisposition.create(safeFileName(filename))
  const unnamed = download === true ? fileNameOf(pipe, type) : undefined
  if (given === undefined) return unnamed === undefined ? undefined : contentDisposition.create(unnamed)
  if (download !== true && FIELD.test(given)) return given
  const sent = parseDisposition(given)
  const inline = sent.kind === 'inline' && download !== true && INLINE.test(type ?? '')
  const options = { type: inline ? 'inline' : 'attachment' }
  return contentDisposition.create(sent.filename === undefined ? unnamed : safeFileName(sent.filename), options)
}

/** What is in an archive is of no use to who cannot see that it is one; pictures and texts open by themselves. */
const ARCHIVES: Readonly<Record<string, string>> = {
  'application/x-tar': '.tar',
  'application/gzip': '.gz',
  'application/x-gzip': '.gz',
  'application/x-xz': '.xz',
  'application/zstd': '.zst',
  'application/zip': '.zip',
}

/** The last segment of the pipe's name, with the extension of an archive unless it has some. */
function fileNameOf(pipe: string, type: string | undefined): string {
  const name = lastSegment(pipe)
  const extension = ARCHIVES[type?.replace(/[ \t]*;.*$/s, '').toLowerCase() ?? '']
  return extension === undefined || /[^.]\.[a-z0-9]+$/i.test(name) ? name : `${name}${extension}`
}

function lastSegment(pipe: string): string {
  const segment = pipe.slice(pipe.lastIndexOf('/', pipe.length - 2) + 1)
  try {
    return safeFileName(decodeURIComponent(segment.replace(/\/$/, '')))
  } catch {
    // Its escapes are not UTF-8.
    return safeFileName(segment)
  }
}

/** What a sender has said: `attachment` when that cannot be read. */
export function parseDisposition(given: string): { kind: string; filename?: string | undefined } {
  try {
    const { type, parameters } = contentDisposition.parse(given)
    return { kind: type, filename: parameters.filename && decodeUtf8(parameters.filename) }
  } catch {
    return { kind: 'attachment' }
  }
}
