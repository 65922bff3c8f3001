import type { Logger } from '../log/log.js'

/** Where the numbers come from. */
export interface FailedHandshakeSource {
  /** Since the start. */
  readonly handshakesFailed: number
  /** A line for each kind, with its number, a space and the address of the last client. */
  readonly failedHandshakes: string
}

/** In the order of gateway/native/sockets/handshake.h: what metrics call them, and what the log says. */
const KINDS = [
  ['broken_off', 'the client broke off (it may not accept the certificate), or took longer than half a minute'],
  ['plain_http', 'plain HTTP on a port for HTTPS, answered with 400: use https://'],
  ['not_tls', 'what came is no TLS'],
  ['protocol', 'the client does not offer HTTP/1.1 (ALPN): HTTP/2 is not spoken here'],
  ['version', 'the client offers no version of TLS from 1.2 on'],
  ['cipher', 'the client offers no cipher or signature that is spoken here'],
  ['certificate', 'the client does not accept the certificate'],
  ['crowded', 'too many handshakes at once: the oldest one made room'],
  ['broken_tls', 'what came is broken TLS'],
] as const

/** Each kind is reported at most this often. */
const REPORT_MS = 5000

/** Says in the log which handshakes came to nothing: one line for many of a kind, since on a public port they come all the time. */
export class FailedHandshakes {
  #failed: number
  readonly #reported: number[]
  readonly #reportAt = KINDS.map(() => 0)

  constructor(
    readonly source: FailedHandshakeSource,
    readonly log: Logger,
  ) {
    // Those of a gateway before this one in the same process are not its own.
    this.#failed = source.handshakesFailed
    this.#reported = this.#counts()
  }

  /** Of each kind, since the start of the process. */
  get counts(): ReadonlyMap<string, number> {
    const counts = this.#counts()
    return new Map(KINDS.map(([name], kind) => [name, counts[kind]!]))
  }

  #counts(): number[] {
    const lines = this.source.failedHandshakes.split('\n')
    return KINDS.map((_, kind) => Number.parseInt(lines[kind] || '0', 10))
  }

  /** To be called every moment. @param now in milliseconds */
  report(now: number): void {
    const failed = this.source.handshakesFailed
    if (failed === this.#failed) return
    let known = 0
    for (const [kind, line] of this.source.failedHandshakes.trimEnd().split('\n').entries()) {
      const [count, client] = line.split(' ')
      this.#reportKind(kind, Number(count), client, now)
      known += this.#reported[kind]!
    }
    // What has to wait for its time keeps the numbers apart.
    this.#failed = known
  }

  #reportKind(kind: number, count: number, client: string | undefined, now: number): void {
    const connections = count - this.#reported[kind]!
    if (connections === 0 || now < this.#reportAt[kind]!) return
    this.#reported[kind] = count
    this.#reportAt[kind] = now + REPORT_MS
    this.log.info({ connections, why: KINDS[kind]![1], ...(client === '' ? {} : { client }) }, 'TLS handshakes failed')
  }
}
