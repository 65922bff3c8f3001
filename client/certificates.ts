import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { WrongUsage } from './cli/wrong-usage.js'

/** The certificates in the file of `--cacert`, as PEM. @throws WrongUsage for a file that cannot be read, or has none */
export function certificates(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const pem = read(file)
  try {
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate')
    createSecureContext({ ca: pem })
  } catch {
    throw new WrongUsage('--cacert: expected a file with certificates (PEM)')
  }
  return pem
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUsage(`--cacert: ${(error as Error).message}`)
  }
}
