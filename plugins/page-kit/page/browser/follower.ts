/** Follows a name for as long as the page is there: reads its events, notices when they stop, and comes again. */

/** How the connection is. `resting`: the transfer is over, and the next one is looked for from time to time. */
export type ConnectionStatus =
  | { readonly kind: 'live' | 'resting' }
  | {
      readonly kind: 'lost'
      readonly why: string
      /** What the server answered; undefined when it did not. */
      readonly status?: number | undefined
      readonly tries: number
      readonly retryAt: number
    }

export interface FollowerEvents {
  event(name: string, data: unknown): void
  link(link: ConnectionStatus): void
}

/** Why there is no connection, as a sentence, and for how long none shall be tried. */
interface Loss {
  readonly why: string
  readonly status?: number
  readonly atLeastMs?: number
}

/** How a connection ends: with the transfer, or before it. */
type End = 'over' | Loss

/** The server says something every 15 seconds; after more than two of those the connection is dead, whatever TCP believes. */
const SILENCE_MS = 40_000
/** On waking up, one of those is enough. */
const DOUBT_MS = 20_000
const LONGEST_WAIT_MS = 30_000
const LONGEST_REST_MS = 10_000
/** A connection that lasted so long was a good one: what comes after it is tried soon again. */
const GOOD_MS = 10_000

/**
 * Reads with `fetch` and not with an `EventSource`: that one hides comments, by which silence is noticed, and the status of a
 * refusal, by which it is explained.
 */
export class Follower {
  #abort = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Attempts in a row that failed, and those that found nothing new. */
  #failures = 0
  #rests = 0
  #heardAt = 0
  /** When this connection brought its first event; 0 before. */
  #liveAt = 0
  #open = false
  readonly #ended = new AbortController()

  /** @param headers of each request, asked for each time */
  constructor(
    readonly url: string,
    readonly on: FollowerEvents,
    readonly headers: () => Readonly<Record<string, string>> = () => ({}),
  ) {}

  start(): void {
    const { signal } = this.#ended
    const clock = setInterval(() => this.#suspect(SILENCE_MS), 5000)
    signal.addEventListener('abort', () => clearInterval(clock))
    const wake = () => document.visibilityState === 'visible' && this.#suspect(DOUBT_MS)
    document.addEventListener('visibilitychange', wake, { signal })
    window.addEventListener('online', () => this.again(), { signal })
    // A page that is put aside gives its connection back, and takes another one when it is shown again.
    window.addEventListener('pagehide', () => this.#stop(), { signal })
    window.addEventListener('pageshow', (event) => event.persisted && this.again(), { signal })
    this.again()
  }

  /** Until `again`. */
  pause(): void {
    this.#stop()
  }

  /** For good. */
  end(): void {
    this.#ended.abort()
    this.#stop()
  }

  /** Connects anew, now. */
  again(): void {
    this.#stop()
    if (this.#ended.signal.aborted) return
    this.#abort = new AbortController()
    void this.#follow(this.#abort.signal)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#abort.abort()
    this.#open = false
    if (this.#liveAt > 0 && Date.now() - this.#liveAt > GOOD_MS) this.#failures = this.#rests = 0
    this.#liveAt = 0
  }

  #suspect(silenceMs: number): void {
    if (this.#open && Date.now() - this.#heardAt > silenceMs) this.#lost({ why: 'Nothing was heard from the server.' })
    // A timer that was to wake us may have slept as well.
    else if (!this.#open && silenceMs === DOUBT_MS) this.again()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#heard(true)
    const end = await this.#listen(signal).catch((): End => ({ why: 'The server cannot be reached.' }))
    if (signal.aborted) return
    if (end === 'over') this.#rest()
    else this.#lost(end)
  }

  async #listen(signal: AbortSignal): Promise<End> {
    const response = await fetch(this.url, {
      headers: { Accept: 'text/event-stream', ...this.headers() },
      cache: 'no-store',
      signal,
    })
    if (response.status === 204) return 'over'
    if (!response.ok || response.body === null) return refused(response)
    return (await this.#read(response.body)) ? 'over' : { why: 'The connection ended.' }
  }

  /** Resolves at the end of the stream, with whether the transfer was over. */
  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<boolean> {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    let over = false
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return over
      this.#heard()
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const name = this.#tell(block)
        if (name === 'state') this.#isLive()
        over ||= name === 'done'
      }
    }
  }

  /** Returns the event's name; undefined for a comment. */
  #tell(block: string): string | undefined {
    const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
    const name = fields.get('event')
    try {
      if (name !== undefined) this.on.event(name, JSON.parse(fields.get('data') ?? 'null'))
    } catch (error) {
      // A defect of this page, and not of the connection.
      reportError(error)
    }
    return name
  }

  #heard(open = this.#open): void {
    this.#open = open
    this.#heardAt = Date.now()
  }

  #isLive(): void {
    this.#liveAt ||= Date.now()
    this.on.link({ kind: 'live' })
  }

  #rest(): void {
    this.#stop()
    this.on.link({ kind: 'resting' })
    this.#later(Math.min(LONGEST_REST_MS, 2000 * 1.5 ** this.#rests++))
  }

  #lost({ why, status, atLeastMs = 0 }: Loss): void {
    this.#stop()
    const tries = ++this.#failures
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** tries)
    const retryAt = this.#later(Math.max(atLeastMs, wait * (0.5 + Math.random() / 2)))
    this.on.link({ kind: 'lost', why, status, tries, retryAt })
  }

  /** Returns when, as a Unix time in milliseconds. */
  #later(ms: number): number {
    this.#timer = setTimeout(() => this.again(), ms)
    return Date.now() + ms
  }
}

/** In the server's own words if it is this kind of server. */
async function refused(response: Response): Promise<Loss> {
  const said = /^\[ERROR\] (.*)/.exec(await response.text())?.[1]
  const seconds = Number(response.headers.get('Retry-After'))
  const { status } = response
  return { why: said ?? `The server answered ${status}.`, status, atLeastMs: seconds > 0 ? seconds * 1000 : 0 }
}
