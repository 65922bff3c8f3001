/** Requests that have to be refused, each with its code: whatever else is going on, nobody is let in by mistake. */

import type { Outcome } from '../tally.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

interface Odd {
  readonly line: string
  readonly fields?: string
  readonly code: string
}

const PLAIN: readonly Odd[] = [
  { line: 'GET /odd?n=0', code: 'BAD_PARAMETER' },
  { line: 'GET /help/../odd\u0001', code: 'CONTROL_CHARACTER' },
  { line: 'DELETE /odd', code: 'METHOD_NOT_ALLOWED' },
  { line: 'PUT /odd', fields: 'Content-Length: 1\r\nContent-Length: 1\r\n', code: 'REPEATED_LENGTH' },
  { line: 'PUT /odd', fields: 'Content-Range: bytes 0-1/2\r\nContent-Length: 2\r\n', code: 'CONTENT_RANGE' },
]
const GUARDED: readonly Odd[] = [
  { line: 'GET /odd', fields: '', code: 'AUTH_JWT_MISSING' },
  { line: 'PUT /odd', fields: 'Content-Length: 0\r\nAuthorization: Bearer e30.e30.e30\r\n', code: 'AUTH_JWT_' },
]

/** @param guarded a door where nobody is let in without a token */
export function odd(plain: Door, guarded: Door) {
  const stranger: Door = { ...guarded, credentials: () => '' }
  return async (job: Job): Promise<Outcome> => {
    const isGuarded = job.random.chance(30)
    const { line, fields, code } = job.random.pick(isGuarded ? GUARDED : PLAIN)!
    const connection = await job.connect(isGuarded ? stranger : plain, { fresh: true })
    if (connection === undefined) return job.refused('turned away', 'an odd request')
    await connection.request(line, fields)
    await job.until(() => connection.isOver)
    if (connection.isUnanswered) return job.refused('turned away', connection.story)
    const found = connection.field('x-pipe-code') ?? `status ${connection.status}`
    if (!found.startsWith(code)) job.tally.problem('ends that nothing explains', `${line}: ${found} instead of ${code}`)
    return { result: 'refused', why: found, bytes: 0 }
  }
}
