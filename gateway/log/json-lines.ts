import type { PipeView } from '../../core/index.js'
import type { RequestRecord } from '../http/request-record.js'
import { loggable } from './loggable.js'

/**
 * The two lines that every transfer costs, as JSON. They are put together by hand: a logger that asks each field what it is takes
 * as long for them as a short transfer takes to be delivered. Their form is pino's, which writes all other lines.
 */

/** Printable ASCII without the two characters that JSON escapes: nearly every name and path. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]{0,1200}$/

/** @param time milliseconds since 1970 */
export function requestJson(record: RequestRecord, time: number): string {
  const { reason, code } = record
  return (
    `{"level":30,"time":${time},"id":${record.id},"remoteAddress":${quoted(record.remoteAddress)},` +
    `"method":${quoted(record.method)},"path":${quoted(record.path)},"status":${record.status},` +
    `"outcome":${quoted(record.outcome)}${reason === undefined ? '' : `,"reason":"${reason}"`}` +
    `${code === undefined ? '' : `,"code":${quoted(code)}`},"bytesIn":${record.bytesIn},` +
    `"bytesOut":${record.bytesOut},"ms":${record.ms},"msg":"request"}\n`
  )
}

/** @param time milliseconds since 1970 */
export function transferJson(pipe: PipeView, time: number): string {
  const { bytesSkipped, endReason, kind, live, topic } = pipe
  const { waitedMs, streamedMs } = durationsOf(pipe)
  return (
    `{"level":30,"time":${time},"pipe":${quoted(pipe.key)},"transferId":${quoted(pipe.transferId)}` +
    `${endReason === undefined ? '' : `,"reason":"${endReason}"`}${kind === 'pipe' ? '' : `,"kind":"${kind}"`}` +
    `${pipe.isAnswer === true ? ',"answer":true' : ''},` +
    `"receivers":${(live ?? topic)?.peak ?? pipe.receiversWanted},` +
    `${live === undefined ? '' : `"skips":${live.skips},"cuts":${live.cuts},`}` +
    `${topic === undefined ? '' : `"messages":${topic.messages},"cuts":${topic.cuts},`}` +
    `"bytesIn":${pipe.bytesIn},"bytesOut":${pipe.bytesOut}${bytesSkipped > 0 ? `,"bytesSkipped":${bytesSkipped}` : ''},` +
    `"waitedMs":${waitedMs},"streamedMs":${streamedMs},"msg":"transfer"}\n`
  )
}

/** In whole milliseconds. A pipe that never streamed has only waited. */
export function durationsOf(pipe: PipeView): { readonly waitedMs: number; readonly streamedMs: number } {
  const streamingFrom = pipe.pairedAt ?? pipe.endedAt ?? pipe.openedAt
  return {
    waitedMs: Math.round(streamingFrom - pipe.openedAt),
    streamedMs: Math.round((pipe.endedAt ?? streamingFrom) - streamingFrom),
  }
}

function quoted(text: string): string {
  // A lone surrogate, which UTF-8 cannot have, comes out of JSON.stringify as an escape.
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(loggable(text))
}
