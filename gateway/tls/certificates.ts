import { statSync } from 'node:fs'
import type { Logger } from '../log/log.js'
import { type Certificate, isPlain, readCertificates, type TlsFiles } from './certificate.js'

/** How often the files are looked at. */
const LOOK_MS = 1000
/** Of a certificate's time; when less is left, somebody should know. */
const LAST_PART = 0.1

/** The certificates that are served, and what keeps them as their files are. */
export class Certificates {
  #current: readonly Certificate[]
  readonly #files: readonly TlsFiles[]
  readonly #log: Logger
  readonly #use: (certificates: readonly Certificate[]) => void
  /** What the files looked like when they were read, and at the last look. */
  #read: string
  #seen: string
  #timer: NodeJS.Timeout | undefined
  /** What has been said of each certificate's time. */
  #said = new Map<Certificate, string>()

  /**
   * @param files the first pair is the one for everybody
   * @param use puts others into effect, or throws and leaves things as they are
   * @throws Error with one sentence when one of them cannot be served
   */
  constructor(files: readonly TlsFiles[], log: Logger, use: (certificates: readonly Certificate[]) => void) {
    this.#files = files
    this.#log = log
    this.#use = use
    this.#read = this.#seen = this.#look()
    this.#current = readCertificates(files)
  }

  get current(): readonly Certificate[] {
    return this.#current
  }

  /** Says which there are, and follows the files. */
  start(): void {
    this.#log.info({ certificates: this.#current.map(told) }, 'certificates')
    this.#sayAges()
    this.#timer = setInterval(() => this.#follow(), LOOK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Reads the files again. When they cannot be served the certificates from before stay. Never throws. */
  reload(): void {
    // Before they are read, so that what is written meanwhile is read the next time.
    this.#read = this.#seen = this.#look()
    try {
      const pipe = this.#files.flatMap(({ cert, key }) => [cert, key]).find((path) => !isPlain(path))
      if (pipe !== undefined) throw new Error(`${pipe} is not a plain file, and can be read only once`)
      const certificates = readCertificates(this.#files)
      this.#use(certificates)
      this.#current = certificates
    } catch (error) {
      this.#log.error({ problem: (error as Error).message }, 'certificates not reloaded: those from before stay')
      return
    }
    this.#log.info({ certificates: this.#current.map(told) }, 'certificates reloaded')
    this.#said.clear()
    this.#sayAges()
  }

  #follow(): void {
    this.#sayAges()
    const now = this.#look()
    // Still the same as a second ago: whoever writes several files, or a long one, has come to an end.
    const isSettled = now === this.#seen
    this.#seen = now
    if (isSettled && now !== this.#read) this.reload()
  }

  /** Through links: certbot changes one, Kubernetes one of a folder. */
  #look(): string {
    return this.#files.map(({ cert, key }) => `${stamp(cert)}, ${stamp(key)}`).join('; ')
  }

  #sayAges(): void {
    for (const certificate of this.#current) {
      const said = ageOf(certificate, Date.now())
      if (said === undefined || this.#said.get(certificate) === said) continue
      this.#said.set(certificate, said)
      this.#log.warn(told(certificate), said)
    }
  }
}

/** Changes whenever the file does. */
function stamp(path: string): string {
  try {
    const stat = statSync(path, { bigint: true })
    return stat.isFile() ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : 'no plain file'
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

function ageOf({ validFrom = 0, validTo = Number.POSITIVE_INFINITY }: Certificate, now: number): string | undefined {
  if (now < validFrom) return 'a certificate is not valid yet'
  if (now > validTo) return 'a certificate has expired'
  return (validTo - now) / (validTo - validFrom) < LAST_PART ? 'a certificate will soon expire' : undefined
}

function told({ cert, names, validFrom, validTo }: Certificate) {
  return { cert, names, validFrom: day(validFrom), validTo: day(validTo) }
}

function day(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
