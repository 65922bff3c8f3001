import type { FileSummary } from '../archive/entry.js'
import { beside, type NamedPlace } from '../place.js'
import { receiveWhenSent } from '../receive/receiver.js'
import { HAVE, readHave } from '../wire/have-list.js'
import { ServerStatus } from '../wire/server-status.js'

export interface HaveOptions {
  readonly place: NamedPlace
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
  /** Of an encrypted transfer, whose list is encrypted as well. */
  readonly decrypt: ((bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | undefined
}

const LOOK_MS = 500
/** A receiver that waits for the stream itself, seen so often, has no list to give. */
const LOOKS = 4

/**
 * Asks the receiver which files it has whole.
 * @returns undefined when the one that has come was not told to `--resume`
 */
export async function askWhatIsThere(options: HaveOptions): Promise<((file: FileSummary) => boolean) | undefined> {
  const { place, waitMs, signal, decrypt = (bytes) => bytes } = options
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  const status = new ServerStatus(place, both)
  let seen = 0
  const look = setInterval(async () => {
    const now = await status.now()
    seen = now?.state === 'waiting' && now.receivers > 0 ? seen + 1 : 0
    if (seen >= LOOKS) stop.abort()
  }, LOOK_MS)
  try {
    const incoming = await receiveWhenSent({
      place: beside(place, HAVE),
      receivers: 1,
      waitMs,
      kind: 'pipe',
      isVerified: false,
      from: 0,
      signal: both,
      on: () => {},
    })
    clearInterval(look)
    return await readHave(decrypt(incoming.body(() => {})))
  } catch (error) {
    if (stop.signal.aborted && !signal.aborted) return undefined
    throw error
  } finally {
    clearInterval(look)
  }
}
