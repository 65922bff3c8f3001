/** Requests that the gateway forwards to a server behind it: downloads and uploads, compared byte by byte at both ends. */

import { setTimeout as sleep } from 'node:timers/promises'
import { bodyOf, differsAt } from '../../support/tape.js'
import type { Outcome } from '../tally.js'
import type { Connection, Door } from './connection.js'
import type { Job } from './job.js'

const KIB = 1024
const LYING = ['upstreams that lie', 'DNS answers that change', 'descriptors at their limit', 'gateway stopped']

export function download(door: Door) {
  return async (job: Job): Promise<Outcome> => {
    const bytes = job.random.below(job.random.pick([16, 300, 2000])! * KIB) + 1
    const body = bodyOf(job.id, bytes)
    const leavesAt = job.random.chance(10) ? job.random.below(bytes) : Number.POSITIVE_INFINITY
    const connection = await job.connect(door)
    if (connection === undefined) return job.refused('turned away', 'a download')
    let wrongAt: number | undefined
    const onBody = (piece: Buffer, offset: number) => {
      if (connection.status !== 200) return
      wrongAt ??= differsAt(body, piece, offset)
      if (offset + piece.length >= leavesAt && !connection.hasLeft) connection.leave('reset')
    }
    await connection.request(`GET /up/tape/${job.id}/${bytes}`, '', { onBody })
    await job.until(() => connection.isOver || connection.hasLeft)
    if (wrongAt !== undefined) job.tally.problem('wrong bytes', `a download, at ${wrongAt}: ${connection.story}`)
    return outcome(job, connection, bytes)
  }
}

function outcome(job: Job, connection: Connection, bytes: number): Outcome {
  const { reader, status, story } = connection
  if (connection.hasLeft) return { result: 'cut', why: 'client left', bytes: reader.bodyBytes }
  // The head of an answer in chunks leaves with its first bytes: when those are broken already, nothing has been sent.
  if (connection.isUnanswered && job.setting.timeline.felt(['upstreams that lie'], job.from))
    return { result: 'cut', why: 'upstream failed', bytes: 0 }
  if (connection.isUnanswered) return job.refused(job.unanswered(connection), story)
  if (status !== 200) return job.refused(connection.field('x-pipe-code') ?? `status ${status}`, story)
  if (!reader.complete) {
    if (!job.setting.timeline.felt(LYING, job.from))
      job.tally.problem('ends that nothing explains', `a download: ${story}`)
    return { result: 'cut', why: 'upstream failed', bytes: reader.bodyBytes }
  }
  const lacks = `a download: ${reader.bodyBytes} of ${bytes} bytes: ${story}`
  if (reader.bodyBytes !== bytes) job.tally.problem('truncations that look clean', lacks)
  return { result: 'verified', bytes }
}

export function upload(door: Door) {
  return async (job: Job): Promise<Outcome> => {
    const bytes = job.random.below(job.random.pick([16, 300, 2000])! * KIB) + 1
    const body = bodyOf(job.id, bytes)
    const isChunked = job.random.chance(50)
    const connection = await job.connect(door)
    if (connection === undefined) return job.refused('turned away', 'an upload')
    let text = ''
    const fields = isChunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${bytes}\r\n`
    await connection.request(`POST /up/tape/${job.id}/${bytes}`, fields, {
      onBody: (piece) => (text += piece.toString('latin1')),
    })
    for (let at = 0; at < bytes && !connection.isOver; at += 64 * KIB) {
      const piece = body.subarray(at, at + 64 * KIB)
      if (isChunked) await connection.send(`${piece.length.toString(16)}\r\n`)
      await connection.send(piece)
      if (isChunked) await connection.send('\r\n')
      if (job.random.chance(10)) await sleep(job.random.below(30))
    }
    if (isChunked && !connection.isOver) await connection.send('0\r\n\r\n')
    await job.until(() => connection.isOver)
    return uploaded(job, connection, text, bytes)
  }
}

function uploaded(job: Job, connection: Connection, text: string, bytes: number): Outcome {
  const { story } = connection
  if (connection.isUnanswered) return job.refused(job.unanswered(connection), story)
  if (connection.status !== 200)
    return job.refused(connection.field('x-pipe-code') ?? `status ${connection.status}`, story)
  if (text.startsWith('wrong')) job.tally.problem('wrong bytes', `an upload: ${text}: ${story}`)
  else if (text.startsWith('only'))
    job.tally.problem('truncations that look clean', `an upload: ${text} of ${bytes}: ${story}`)
  if (connection.reader.complete && text === `all ${bytes}`) return { result: 'verified', bytes }
  job.explain('REVERSE_PROXY_CUT', story)
  return { result: 'cut', why: 'upstream failed', bytes: 0 }
}
