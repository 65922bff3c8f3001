import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FileSummary } from '../archive/entry.js'
import { list } from '../archive/list.js'
import { beside, type NamedPlace } from '../place.js'
import { TimedOut } from '../screen/ending.js'
import { sendWhenWanted } from '../send/sender.js'
import { HAVE, writeHave } from '../wire/have-list.js'
import { ServerStatus } from '../wire/server-status.js'
import { FileDestination } from './destination/file.js'
import { pathFor } from './take.js'

export interface HereOptions {
  readonly place: NamedPlace
  /** What `--output` says. */
  readonly output: string | undefined
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
  /** Of an encrypted transfer, whose list is encrypted as well. */
  readonly encrypt: ((bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | undefined
}

const LOOK_MS = 300
const ANSWER_MS = 10_000

/**
 * Before an interrupted transfer goes on: finds out what the sender is going to send, and tells it which files of a folder are here.
 * @returns how many bytes of the file that comes are here
 */
export async function tellWhatIsHere(options: HereOptions): Promise<number> {
  const { place, output, waitMs, signal } = options
  const status = new ServerStatus(place, signal)
  const have = new ServerStatus(beside(place, HAVE), signal)
  const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs
  for (;;) {
    const now = await status.now()
    // A server that tells nothing: all is fetched again.
    if (now === undefined) return 0
    if (now.hasSender) {
      if (now.fileName === null || now.mediaType === 'application/x-tar') return 0
      return FileDestination.partBytes(await pathFor(now.fileName, output))
    }
    const asked = await have.now()
    if (asked?.state === 'waiting' && asked.receivers > 0) return tell(options)
    if (performance.now() >= until) throw new TimedOut('Timed out waiting for the sender.')
    await sleep(LOOK_MS, undefined, { signal })
  }
}

async function tell({ place, output, signal, encrypt = (bytes) => bytes }: HereOptions): Promise<number> {
  const files = await filesHere(output)
  await sendWhenWanted({
    place: beside(place, HAVE),
    outgoing: {
      description: { kind: 'stream' },
      type: 'application/octet-stream',
      fileName: undefined,
      length: undefined,
      about: undefined,
      label: 'what is here',
      isLasting: true,
      open: () => encrypt(writeHave(files, output !== undefined)),
    },
    receivers: 1,
    waitMs: ANSWER_MS,
    kind: 'pipe',
    isVerified: false,
    signal,
    on: () => {},
  })
  return 0
}

/** The whole files of every folder that came in part: nobody knows yet which of them it is about. */
async function filesHere(output: string | undefined): Promise<FileSummary[]> {
  if (output !== undefined) return list(resolve(output))
  const found: FileSummary[] = [...list(resolve('.'))]
  for (const entry of await readdir('.', { withFileTypes: true })) {
    if (!entry.isDirectory() || !entry.name.endsWith('.part')) continue
    const name = entry.name.slice(0, -'.part'.length)
    found.push(...list(join('.', name), name))
  }
  return found
}
