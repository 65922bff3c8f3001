import type { Certificate } from './certificate.js'

/** The part of a certificate's validity below which a warning is logged. */
const WARN_BELOW = 0.1

/** What holds from one moment to another. */
type Dated = Pick<Certificate, 'validFrom' | 'validTo'>

/** A warning about something that is not valid at the moment, or not for long. @param what `a certificate` */
export function expiryWarning(
  { validFrom = 0, validTo = Number.POSITIVE_INFINITY }: Dated,
  now: number,
  what = 'a certificate',
): string | undefined {
  if (now < validFrom) return `${what} is not valid yet`
  if (now > validTo) return `${what} has expired`
  return (validTo - now) / (validTo - validFrom) < WARN_BELOW ? `${what} will soon expire` : undefined
}

/** A certificate as the log shows it. */
export function describeCertificate({ cert, names, validFrom, validTo }: Certificate) {
  return { cert, names, validFrom: dateText(validFrom), validTo: dateText(validTo) }
}

/** As the log shows a moment. */
export function dateText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
