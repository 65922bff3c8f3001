/** The program under attack: a process of its own, so that nothing but its answers keeps it alive. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { CertificateFiles } from '../support/certificate.js'
import { eventually } from '../support/eventually.js'
import { TEST_HOSTS } from '../support/hosts.js'
import { MAIN, ownEnvironment, PROJECT } from '../support/program.js'
import { connect } from '../support/raw.js'
import type { Door } from './assailant.js'

/** Enough for what is in flight, and not for a leak. */
const HEAP_MIB = 128
const ERROR = 50
/** On a machine that is busy elsewhere. */
const HEALTH_MS = 10_000

const FLAGS = [
  '--port',
  '0',
  '--hosts',
  TEST_HOSTS,
  '--wait',
  '2',
  '--idle',
  '5',
  '--memory',
  '64MiB',
  '--drain',
  '1',
  '--log-format',
  'json',
]

export interface Vitals {
  readonly waiting: number
  readonly streaming: number
  readonly heldBytes: number
}

export class Server {
  port = 0
  /** Lines of the log that tell of a defect, and all of standard error. */
  readonly complaints: string[] = []
  ended: string | undefined
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #closed: Promise<void>

  /** @param certificate of a server that speaks TLS */
  constructor(readonly certificate?: CertificateFiles) {
    const tls = certificate === undefined ? [] : ['--tls-cert', certificate.cert, '--tls-key', certificate.key]
    this.#child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, MAIN, 'serve', ...FLAGS, ...tls], {
      cwd: PROJECT,
      env: ownEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    createInterface(this.#child.stdout).on('line', (line) => this.#read(line))
    createInterface(this.#child.stderr).on('line', (line) => this.complaints.push(line))
    this.#closed = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.ended = `exit code ${code}, signal ${signal}`
        resolve()
      })
    })
  }

  #read(text: string): void {
    // Parsing each of a million lines would be most of the work.
    if (!text.startsWith('{"level":30')) {
      const line = JSON.parse(text) as { level: number }
      if (line.level >= ERROR) this.complaints.push(text)
    } else if (this.port === 0) {
      const { url } = JSON.parse(text) as { url?: string }
      if (url !== undefined) this.port = Number(new URL(url).port)
    }
  }

  get door(): Door {
    return { port: this.port, tls: this.certificate !== undefined }
  }

  started(): Promise<void> {
    return eventually(() => this.port > 0 || `it does not listen: ${this.ended} ${this.complaints}`)
  }

  kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    return this.#closed
  }

  /** Throws when it does not answer in time. */
  async vitals(): Promise<Vitals> {
    return JSON.parse(await this.#ask('health')) as Vitals
  }

  /** The value of a metric without labels. */
  async metric(name: string): Promise<number> {
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(await this.#ask('metrics'))?.[1]
    if (value === undefined) throw new Error(`no metric ${name}`)
    return Number(value)
  }

  async #ask(what: string): Promise<string> {
    const client = await connect(this.door)
    try {
      await client.send(`GET /api/v1/pipe/${what} HTTP/1.1\r\nHost: x\r\n\r\n`)
      return (await client.waitForResponse({ timeoutMs: HEALTH_MS })).body.toString()
    } finally {
      client.destroy()
    }
  }
}
