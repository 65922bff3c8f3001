import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { FileSummary } from '../../archive/entry.js'
import { WrongUsage } from '../../cli/wrong-usage.js'
import { safeText } from '../../safe-text.js'
import { archiveOf } from './archive.js'
import { fileOf } from './file.js'
import type { Outgoing } from './outgoing.js'

export interface Wanted {
  readonly paths: readonly string[]
  readonly text: string | undefined
  /** Files go as an archive, even a single one: its name then stands inside, where the server does not see it. */
  readonly isHidden: boolean
  readonly stdin: NodeJS.ReadStream
  /** Sentences for people. */
  readonly warn: (sentence: string) => void
  /** True for a file that the receiver has. */
  readonly skip?: (file: FileSummary) => boolean
}

/** What a command line asks to be sent. @throws WrongUsage, and Error in words for people */
export async function plan({ paths, text, isHidden, stdin, warn, skip }: Wanted): Promise<Outgoing> {
  if (text !== undefined) {
    if (paths.length > 0) throw new WrongUsage('--text and files cannot be sent together')
    return textOf(text)
  }
  if (paths.length === 0 || (paths.length === 1 && paths[0] === '-')) {
    if (stdin.isTTY && paths.length === 0) {
      throw new WrongUsage('nothing to send: name files or folders, or --text, or "-" for what you type')
    }
    return streamOf('standard input', () => stdin)
  }
  if (paths.includes('-')) throw new WrongUsage('"-", standard input, cannot be sent together with files')
  const found = await Promise.all(paths.map(look))
  const [path, what] = [paths[0]!, found[0]!]
  const archive = () => archiveOf(paths, { warn, ...(skip && { skip }) })
  if (paths.length > 1 || what.isDirectory()) return archive()
  if (what.isFile() && isHidden) return { ...(await archive()), label: basename(path) }
  if (what.isFile()) return fileOf(path, what)
  // A pipe of the shell, a device.
  return streamOf(path, () => createReadStream(path))
}

async function look(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`${safeText(path, true)}: there is no such file or folder`)
    throw new Error(`${safeText(path, true)}: cannot be read (${code})`)
  }
}

function textOf(text: string): Outgoing {
  const bytes = Buffer.from(text)
  return {
    description: { kind: 'text' },
    type: 'text/plain; charset=utf-8',
    fileName: undefined,
    length: bytes.length,
    about: bytes.length,
    label: 'text',
    isLasting: true,
    async *open() {
      yield bytes
    },
  }
}

function streamOf(label: string, open: () => AsyncIterable<Uint8Array>): Outgoing {
  return {
    description: { kind: 'stream' },
    type: 'application/octet-stream',
    fileName: undefined,
    length: undefined,
    about: undefined,
    label,
    isLasting: false,
    open,
  }
}
