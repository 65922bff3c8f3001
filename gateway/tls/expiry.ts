import type { Certificate } from './certificate.js'

/** The part of a certificate's validity below which a warning is logged. */
const WARN_BELOW = 0.1

/** A warning about a certificate that is not valid at the moment, or not for long. */
export function expiryWarning(
  { validFrom = 0, validTo = Number.POSITIVE_INFINITY }: Certificate,
  now: number,
): string | undefined {
  if (now < validFrom) return 'a certificate is not valid yet'
  if (now > validTo) return 'a certificate has expired'
  return (validTo - now) / (validTo - validFrom) < WARN_BELOW ? 'a certificate will soon expire' : undefined
}

/** A certificate as the log shows it. */
export function describeCertificate({ cert, names, validFrom, validTo }: Certificate) {
  return { cert, names, validFrom: dateText(validFrom), validTo: dateText(validTo) }
}

function dateText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
