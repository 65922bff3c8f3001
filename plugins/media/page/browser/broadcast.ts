/** One recording, from the first picture to what the gateway says of it. */
import { requestHeaders } from '../../../page-kit/page/browser/credentials.js'
import type { Receipt } from '../../../transfer-status/snapshot.js'
import { Recording } from './recording.js'
import { failureOf, put } from './sending.js'

export interface BroadcastOptions {
  /** Of the name, without a query. */
  readonly address: string
  /** Undefined: whoever comes. */
  readonly receivers: number | undefined
  /** Seconds. */
  readonly wait: number
  readonly stream: MediaStream
  /** Of picture and sound, per second. */
  readonly bits: number
  readonly fileName: string
  /** It is recorded first, and sent when it is over. */
  readonly isLater: boolean
}

/** What is recorded first has to be kept: 1 GB of it. */
const MOST_KEPT = 1_000_000_000
/** After a connection is lost the gateway may still tell why, over another one. */
const LAST_WORDS_MS = 1500

export class Broadcast {
  readonly transferId = crypto.randomUUID()
  readonly recording: Recording
  /** What is sent when it is over is being sent. */
  isSending = false
  readonly #abort = new AbortController()
  #failure: string | undefined
  #told: () => void = () => {}

  constructor(readonly options: BroadcastOptions) {
    this.recording = new Recording(options.stream, options.bits)
  }

  /** Resolves at its end with why it failed; undefined when everybody has all of it. */
  async run(): Promise<string | undefined> {
    const { isLater, receivers } = this.options
    // Who is counted gets it from its first picture on: that is taken when everybody is there.
    if (isLater || receivers === undefined) this.recording.start()
    try {
      const body = isLater ? await this.#kept() : this.recording.body
      this.isSending = true
      return this.#failure ?? failureOf(await put(this.#address(), body, this.#headers(), this.#abort.signal))
    } catch {
      if (this.#failure === undefined) await this.#lastWords()
      return this.#failure ?? 'The connection to the gateway was lost.'
    } finally {
      this.recording.stop()
    }
  }

  /** The gateway has told how it ended, perhaps before the browser noticed. */
  ended({ transferId, state, message }: Receipt): void {
    if (transferId !== this.transferId || state === 'complete') return
    this.fail(message ?? 'The stream failed.')
  }

  fail(why: string): void {
    this.#failure ??= why
    this.#told()
    this.#abort.abort()
  }

  async #kept(): Promise<Blob> {
    const limit = setInterval(() => {
      if (this.recording.sent > MOST_KEPT) this.recording.stop()
    }, 1000)
    // A browser puts large ones aside on disk.
    return new Response(this.recording.body).blob().finally(() => clearInterval(limit))
  }

  #address(): string {
    const { address, receivers, wait } = this.options
    const how = receivers === undefined ? 'live' : `n=${receivers}&wait=${wait}`
    // At once, a browser would not hand out an answer before it has sent everything, and some proxies would stop reading.
    return `${address}?${how}&transfer=${this.transferId}&reply=end`
  }

  #headers(): Record<string, string> {
    const { type } = this.recording
    const file = `${this.options.fileName}.${type.includes('mp4') ? 'mp4' : 'webm'}`
    return {
      ...requestHeaders(),
      'Content-Type': type.replace(/;codecs=(.*)/, '; codecs="$1"'),
      'Content-Disposition': `inline; filename="${file}"`,
    }
  }

  #lastWords(): Promise<void> {
    return new Promise((resolve) => {
      this.#told = resolve
      setTimeout(resolve, LAST_WORDS_MS)
    })
  }
}
