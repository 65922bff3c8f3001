/** The job that begins connections over TLS, and ends them: `handshakes`. */

import { type ConnectionOptions, connect } from 'node:tls'
import type { Target } from './dial.js'
import type { JobKind } from './job.js'

export interface HandshakeArgs {
  readonly target: Target
  readonly count: number
  /** How many run at a time. */
  readonly parallel: number
  /** By the ticket of the connection before, and not in full. */
  readonly resumes: boolean
}

/** The same for every server, so that none has it easier. */
const TERMS: ConnectionOptions = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: 'X25519' }

/** Shakes hands, one connection after the other. Resolves with the seconds that they took together. */
export const handshakes: JobKind<HandshakeArgs, number> = async ({ target, count, parallel, resumes }) => {
  const tickets = await Promise.all(
    Array.from({ length: parallel }, () => (resumes ? shakeHands(target, undefined, true) : undefined)),
  )
  const from = performance.now()
  let begun = 0
  const work = async (ticket: Buffer | undefined): Promise<void> => {
    while (begun++ < count) await shakeHands(target, ticket, false)
  }
  await Promise.all(tickets.map(work))
  return (performance.now() - from) / 1000
}

/**
 * One connection, from its start until both sides have closed it. Resolves with a ticket for the next one, if it was to wait for that.
 * Rejects when a ticket that was given has not been taken.
 */
function shakeHands(target: Target, session: Buffer | undefined, waits: boolean): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: target.port,
      rejectUnauthorized: false,
      ...TERMS,
      ...(session !== undefined && { session }),
    })
    let ticket: Buffer | undefined
    socket.once('session', (next) => {
      ticket = next
      if (waits) socket.end()
    })
    socket.once('secureConnect', () => {
      if (session !== undefined && !socket.isSessionReused()) reject(new Error('the session was not resumed'))
      if (!waits) socket.end()
      socket.resume()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(ticket))
  })
}
