/** Runs the real curl, so that what a user sees (exit code, body, messages) is what the test sees. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { eventually, USUAL_MS } from './eventually.js'

export interface CurlOptions {
  /** Becomes curl's standard input; use it with `-T -` or `--data-binary @-`. */
  readonly input?: Uint8Array | string | Readable
  /** Ends curl with SIGKILL. */
  readonly signal?: AbortSignal
  /** A command that starts it, in place of which it runs. */
  readonly within?: readonly string[]
}

export interface CurlResult {
  /** The exit code, or null when a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** A running curl. Await `result`, or look at what it printed so far. */
export class CurlRun {
  /** Resolves when curl ended. Rejects only when curl cannot be started. */
  readonly result: Promise<CurlResult>

  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #stdout: Buffer[] = []
  readonly #stderr: Buffer[] = []

  constructor(args: readonly string[], options: CurlOptions) {
    // -q first: a .curlrc of whoever runs the tests must not change what is tested. The same for a proxy.
    const all = ['-q', '-sS', '--noproxy', '*', ...args]
    const [file, ...rest] = [...(options.within ?? []), 'curl', ...all] as [string, ...string[]]
    this.#child = spawn(file, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      killSignal: 'SIGKILL',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    this.#child.stdout.on('data', (chunk: Buffer) => this.#stdout.push(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk))
    this.result = this.#ended()
    // A test may hold the run for long before it awaits the result; its failure is not "unhandled" until then.
    this.result.catch(() => {})
    this.#feed(options.input)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The child's standard input, for a test that writes piece by piece. Only without `input`. */
  get stdin(): Writable {
    return this.#child.stdin
  }

  get stdoutText(): string {
    return Buffer.concat(this.#stdout).toString('utf8')
  }

  get stderrText(): string {
    return Buffer.concat(this.#stderr).toString('utf8')
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /** Resolves when standard output so far matches. */
  async waitFor(pattern: RegExp | string, timeoutMs = USUAL_MS): Promise<void> {
    await eventually(
      () => {
        const text = this.stdoutText
        const found = typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)
        return (
          found || `curl did not print ${pattern}: ${JSON.stringify(text.slice(-300))} ${this.stderrText.slice(-300)}`
        )
      },
      { timeoutMs },
    )
  }

  #ended(): Promise<CurlResult> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        // An abort by `signal` is told by the exit as well; only a curl that cannot be started is a failure.
        if (error.name !== 'AbortError') reject(error)
      })
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: Buffer.concat(this.#stdout), stderr: this.stderrText })
      })
    })
  }

  #feed(input: CurlOptions['input']): void {
    const { stdin } = this.#child
    // curl closes its input when it got an early answer; that EPIPE is part of what is tested.
    stdin.on('error', () => {})
    if (input === undefined) return
    if (typeof input === 'string' || input instanceof Uint8Array) stdin.end(input)
    else pipeline(input, stdin).catch(() => {})
  }
}

/** Starts `curl -sS` with these arguments, without a shell. Without `input`, standard input stays open and empty. */
export function curl(args: readonly string[], options: CurlOptions = {}): CurlRun {
  return new CurlRun(args, options)
}

/** Starts curl and waits for its end. */
export function curlDone(args: readonly string[], options: CurlOptions = {}): Promise<CurlResult> {
  return curl(args, options).result
}
