import type { ClientCertificate } from '../../gateway/host/plugin-api.js'
import { type Grant, grantOf } from '../grants/fields.js'
import { type Entry, KINDS } from './entries.js'

/** What a certificate may do, and who it is. */
export interface Found {
  readonly grant: Grant
  /** What of the certificate has fitted; of one that is told by its fingerprint, the name of the entry. */
  readonly subject: string
}

interface Row {
  readonly grant: Grant
  subjectOf(certificate: ClientCertificate): string | undefined
}

/** All entries. The first that fits a certificate is the one that counts. */
export class CertificateTable {
  readonly #rows: readonly Row[]
  /** A certificate is one object for all requests of a connection. */
  readonly #found = new WeakMap<ClientCertificate, Found | 'none'>()

  /** @throws Error with one line, for a name or a pattern that stands there twice */
  constructor(entries: readonly Entry[]) {
    const names = new Set<string>()
    const patterns = new Map<string, string>()
    for (const entry of entries) {
      const { name } = entry
      if (names.has(name)) throw new Error(`found two entries with the name "${name}"; give each a name of its own`)
      names.add(name)
      const pattern = KINDS.flatMap((kind) => (entry[kind] === undefined ? [] : `${kind} ${entry[kind]}`)).join()
      const other = patterns.get(pattern)
      if (other !== undefined) throw new Error(`the entries "${other}" and "${name}" are for the same certificates`)
      patterns.set(pattern, name)
    }
    this.#rows = entries.map(rowOf)
  }

  find(certificate: ClientCertificate): Found | undefined {
    const known = this.#found.get(certificate) ?? this.#look(certificate)
    this.#found.set(certificate, known)
    return known === 'none' ? undefined : known
  }

  #look(certificate: ClientCertificate): Found | 'none' {
    for (const { grant, subjectOf } of this.#rows) {
      const subject = subjectOf(certificate)
      if (subject !== undefined) return { grant, subject }
    }
    return 'none'
  }
}

function rowOf(entry: Entry): Row {
  const grant = grantOf(entry)
  const kind = KINDS.find((each) => entry[each] !== undefined)!
  const pattern = entry[kind]!
  if (kind === 'fingerprint')
    return { grant, subjectOf: ({ fingerprint }) => (fingerprint === pattern ? grant.name : undefined) }
  // Host names know no case.
  const fits = kind === 'dns' ? matcher(pattern.toLowerCase(), '.') : matcher(pattern, '/')
  return { grant, subjectOf: (certificate) => valuesOf(certificate, kind).find(fits) }
}

function valuesOf({ commonName, alternativeNames }: ClientCertificate, kind: string): readonly string[] {
  if (kind === 'commonName') return [commonName]
  const values = alternativeNames.filter((each) => each.kind === kind).map(({ value }) => value)
  return kind === 'dns' ? values.map((value) => value.toLowerCase()) : values
}

/** Who could not be shown in one line of a log is nobody: no control characters, and none that turn the direction of a text. */
const PRESENTABLE = /^[^\p{C}]{1,256}$/u

/** `*` is any characters but `separator`, `**` any. */
function matcher(pattern: string, separator: string): (value: string) => boolean {
  const source = pattern
    .split(/(\*+)/)
    .map((piece) => (piece === '*' ? `[^${separator}]*` : /^\*/.test(piece) ? '.*' : escaped(piece)))
    .join('')
  const whole = new RegExp(`^${source}$`, 'u')
  return (value) => PRESENTABLE.test(value) && whole.test(value)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
