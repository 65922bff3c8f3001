import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../log/log.js'
import { type Certificate, isRegularFile, readCertificates, serveTheSame, type TlsFiles } from './certificate.js'
import { type ClientFiles, type ClientRules, readClientRules } from './client-rules.js'
import { dateText, describeCertificate, expiryWarning } from './expiry.js'

/** How often the files are checked for changes. */
const POLL_MS = 1000

/** The files of all that TLS is spoken with. */
export interface TlsSources {
  /** The first pair is the default one. */
  readonly certificates: readonly TlsFiles[]
  /** Undefined: clients are not asked for a certificate. */
  readonly clients: ClientFiles | undefined
}

/** What new connections begin with. */
export interface Tls {
  readonly certificates: readonly Certificate[]
  readonly clients: ClientRules | undefined
}

/** Says which certificates are to be served. */
export interface CertificateSource {
  /** The file that says so, if there is one. */
  readonly watched: string | undefined
  /** @throws Error with one sentence or more when this cannot be said; those from before stay */
  files(): TlsSources
}

/** The certificates in use, and those that clients may use. Reads them again when their files change. */
export class CertificateWatcher {
  #current: Tls
  readonly #source: CertificateSource
  #files: TlsSources
  readonly #log: Logger
  readonly #use: (tls: Tls) => void
  /** The state of the files when they were read, and when they were polled last. */
  #read: State
  #seen: State
  #timer: NodeJS.Timeout | undefined
  /** The last warning about each certificate and list. */
  #warned = new Map<object, string>()

  /**
   * @param source is asked here, at a reload, and when the file that it depends on has changed
   * @param use puts new ones into effect, or throws and changes nothing
   * @throws Error with one sentence when one of them cannot be served
   */
  constructor(source: CertificateSource, log: Logger, use: (tls: Tls) => void) {
    this.#source = source
    const from = sourceState(source)
    this.#files = source.files()
    this.#log = log
    this.#use = use
    this.#read = this.#seen = { from, files: filesState(this.#files) }
    this.#current = readTls(this.#files)
  }

  get current(): Tls {
    return this.#current
  }

  /** Logs the certificates, and starts polling the files. */
  start(): void {
    this.#log.info({ certificates: this.#current.certificates.map(describeCertificate) }, 'certificates')
    this.#warnOfExpiry()
    this.#timer = setInterval(() => this.#poll(), POLL_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Asks and reads again. When the outcome cannot be used, the certificates from before stay. Never throws. */
  reload(): void {
    // Each before it is read, so that a change in the meantime causes another reload.
    const from = sourceState(this.#source)
    try {
      this.#files = this.#source.files()
    } catch (error) {
      this.#log.error({ problem: (error as Error).message }, 'configuration not read again: the one from before stays')
    }
    this.#readFiles(from)
  }

  #readFiles(from: string): void {
    this.#read = this.#seen = { from, files: filesState(this.#files) }
    let isNew: boolean
    try {
      const special = pathsOf(this.#files).find((path) => !isRegularFile(path))
      if (special !== undefined) throw new Error(`${special} is not a plain file, and can be read only once`)
      const tls = readTls(this.#files, this.#current.certificates)
      const before = this.#current
      isNew = !serveTheSame(tls.certificates, before.certificates) || !isDeepStrictEqual(tls.clients, before.clients)
      // What the engine had before is never freed, where it speaks TLS itself, so it gets new ones only where they are.
      if (isNew) this.#use(tls)
      this.#current = tls
    } catch (error) {
      this.#log.error({ problem: (error as Error).message }, 'certificates not reloaded: those from before stay')
      return
    }
    const certificates = this.#current.certificates.map(describeCertificate)
    this.#log.info({ certificates }, isNew ? 'certificates reloaded' : 'certificates read again: they are the same')
    this.#warned.clear()
    this.#warnOfExpiry()
  }

  #poll(): void {
    this.#warnOfExpiry()
    const now = { from: sourceState(this.#source), files: filesState(this.#files) }
    // Unchanged for a second: a writer of several files, or of a long one, has finished.
    const isSettled = isSame(now, this.#seen)
    this.#seen = now
    if (!isSettled || isSame(now, this.#read)) return
    if (now.from !== this.#read.from) this.reload()
    else this.#readFiles(now.from)
  }

  #warnOfExpiry(): void {
    const { certificates, clients } = this.#current
    for (const certificate of certificates)
      this.#warn(certificate, describeCertificate(certificate), expiryWarning(certificate, Date.now()))
    for (const list of clients?.lists ?? [])
      this.#warn(
        list,
        { crl: this.#files.clients?.crl, validTo: dateText(list.validTo) },
        expiryWarning(list, Date.now(), 'a list of revoked certificates'),
      )
  }

  #warn(about: object, fields: object, warning: string | undefined): void {
    if (warning === undefined || this.#warned.get(about) === warning) return
    this.#warned.set(about, warning)
    this.#log.warn(fields, warning)
  }
}

/** What all files looked like: texts that change whenever one of them does. */
interface State {
  /** Of the file that says which certificates there are. */
  readonly from: string
  readonly files: string
}

function isSame(one: State, other: State): boolean {
  return one.from === other.from && one.files === other.files
}

function sourceState({ watched }: CertificateSource): string {
  return watched === undefined ? '' : stamp(watched)
}

/** Follows links: certbot replaces a link to the file, Kubernetes a link to its folder. */
function filesState(files: TlsSources): string {
  return pathsOf(files).map(stamp).join('; ')
}

function pathsOf({ certificates, clients }: TlsSources): readonly string[] {
  const ofClients = clients === undefined ? [] : [clients.ca, clients.crl ?? []].flat()
  return [...certificates.flatMap(({ cert, key }) => [cert, key]), ...ofClients]
}

function readTls({ certificates, clients }: TlsSources, known?: readonly Certificate[]): Tls {
  return {
    certificates: readCertificates(certificates, known),
    clients: clients && readClientRules(clients),
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
