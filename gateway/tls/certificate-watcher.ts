import { statSync } from 'node:fs'
import type { Logger } from '../log/log.js'
import { type Certificate, isRegularFile, readCertificates, type TlsFiles } from './certificate.js'
import { describeCertificate, expiryWarning } from './expiry.js'

/** How often the files are checked for changes. */
const POLL_MS = 1000

/** The certificates in use. Reads them again when their files change. */
export class CertificateWatcher {
  #current: readonly Certificate[]
  readonly #files: readonly TlsFiles[]
  readonly #log: Logger
  readonly #use: (certificates: readonly Certificate[]) => void
  /** The state of the files when they were read, and when they were polled last. */
  #read: string
  #seen: string
  #timer: NodeJS.Timeout | undefined
  /** The last warning about each certificate. */
  #warned = new Map<Certificate, string>()

  /**
   * @param files the first pair is the default one
   * @param use puts new ones into effect, or throws and changes nothing
   * @throws Error with one sentence when one of them cannot be served
   */
  constructor(files: readonly TlsFiles[], log: Logger, use: (certificates: readonly Certificate[]) => void) {
    this.#files = files
    this.#log = log
    this.#use = use
    this.#read = this.#seen = this.#filesState()
    this.#current = readCertificates(files)
  }

  get current(): readonly Certificate[] {
    return this.#current
  }

  /** Logs the certificates, and starts polling the files. */
  start(): void {
    this.#log.info({ certificates: this.#current.map(describeCertificate) }, 'certificates')
    this.#warnOfExpiry()
    this.#timer = setInterval(() => this.#poll(), POLL_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Reads the files again. When they cannot be used, the certificates from before stay. Never throws. */
  reload(): void {
    // Before they are read, so that a change in the meantime causes another reload.
    this.#read = this.#seen = this.#filesState()
    try {
      const special = this.#files.flatMap(({ cert, key }) => [cert, key]).find((path) => !isRegularFile(path))
      if (special !== undefined) throw new Error(`${special} is not a plain file, and can be read only once`)
      const certificates = readCertificates(this.#files)
      this.#use(certificates)
      this.#current = certificates
    } catch (error) {
      this.#log.error({ problem: (error as Error).message }, 'certificates not reloaded: those from before stay')
      return
    }
    this.#log.info({ certificates: this.#current.map(describeCertificate) }, 'certificates reloaded')
    this.#warned.clear()
    this.#warnOfExpiry()
  }

  #poll(): void {
    this.#warnOfExpiry()
    const now = this.#filesState()
    // Unchanged for a second: a writer of several files, or of a long one, has finished.
    const isSettled = now === this.#seen
    this.#seen = now
    if (isSettled && now !== this.#read) this.reload()
  }

  /** Follows links: certbot replaces a link to the file, Kubernetes a link to its folder. */
  #filesState(): string {
    return this.#files.map(({ cert, key }) => `${stamp(cert)}, ${stamp(key)}`).join('; ')
  }

  #warnOfExpiry(): void {
    for (const certificate of this.#current) {
      const warning = expiryWarning(certificate, Date.now())
      if (warning === undefined || this.#warned.get(certificate) === warning) continue
      this.#warned.set(certificate, warning)
      this.#log.warn(describeCertificate(certificate), warning)
    }
  }
}

/** A text that changes whenever the file does. */
function stamp(path: string): string {
  try {
    const stat = statSync(path, { bigint: true })
    return stat.isFile() ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : 'no plain file'
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
