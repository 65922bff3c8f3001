import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { WrongUsage } from './cli/wrong-usage.js'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificates in the file of `--cacert`, as PEM. @throws WrongUsage for a file that cannot be read, or has none */
export function certificates(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const found = read(file).match(CERTIFICATE) ?? []
  try {
    // TLS itself would pass over what it cannot read, and then trust nobody.
    for (const each of found) new X509Certificate(each)
  } catch {
    found.length = 0
  }
  if (found.length === 0) throw new WrongUsage('--cacert: expected a file with certificates (PEM)')
  return found.join('\n')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUsage(`--cacert: ${(error as Error).message}`)
  }
}
