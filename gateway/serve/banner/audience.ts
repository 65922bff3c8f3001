import { isIP } from 'node:net'

/** Who can reach a gateway, and who may use it. */
export interface Audience {
  /** Only this machine reaches the address that it listens on. */
  readonly isLocal: boolean
  /** A proxy on this machine may let in others. */
  readonly isProxied: boolean
  /** Nobody gets in without credentials. */
  readonly isAuthenticated: boolean
  /** The token that was made for this run. */
  readonly token?: string | undefined
  /** It answers to some hosts only. */
  readonly isBounded: boolean
  /** The operator has said that everybody may. */
  readonly isOpenOnPurpose: boolean
  readonly isTls: boolean
  /** What starts it on all addresses. */
  readonly publicCommand: string
}

/** Who can reach it, and how to open or to protect it: a line each. */
export function audienceLines(audience: Audience, origins: readonly string[]): readonly string[] {
  const { isLocal, isProxied, isAuthenticated, isBounded, isOpenOnPurpose, isTls, publicCommand } = audience
  if (isLocal) {
    const who = isProxied
      ? 'Only this machine reaches it, and who comes through a proxy on it.'
      : 'Only this machine reaches it.'
    return [who, `To let others in: ${publicCommand}`]
  }
  if (isAuthenticated) {
    const lines = ['Everybody who reaches this machine and has a token may send and receive.']
    return isTls
      ? lines
      : [...lines, 'Plain HTTP: who is on the way can read the token and what is sent. HTTPS: --tls-cert, --tls-key']
  }
  if (isOpenOnPurpose)
    return [
      'Everybody who reaches this machine may send and receive (--open).',
      'To ask for a token: --token-file in place of --open',
    ]
  const names = origins.map((origin) => new URL(origin).hostname).filter((host) => isIP(host) === 0)
  const under = isBounded && names.length > 0 ? `, as ${names.join(' or ')},` : ''
  return [
    `Everybody who reaches this machine${under} may send and receive.`,
    'To ask for a token: --token-file FILE ("pipegate token" makes one)',
  ]
}
