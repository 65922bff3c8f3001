import type { PipeView } from '../../core/index.js'
import type { RequestRecord } from '../http/request-record.js'
import { ENDINGS, endingOf } from '../http/response/endings.js'
import { durationsOf } from './json-lines.js'
import { loggable } from './loggable.js'
import type { Marks } from './marks.js'
import { bytesInWords, durationInWords, timeOfDay } from './words.js'

/** The same two lines for a person: one line of a terminal each, a mark for what failed, and why in words. */

/** `16:23:03 ✓ migration  3.0 MB in 11 ms, 1 receiver` */
export function transferForPerson(pipe: PipeView, time: number, marks: Marks): string {
  const { waitedMs, streamedMs } = durationsOf(pipe)
  const isComplete = pipe.endReason === 'complete'
  const what =
    pipe.pairedAt === undefined
      ? `after a wait of ${durationInWords(waitedMs)}`
      : `${bytesInWords(pipe.bytesIn)} in ${durationInWords(streamedMs)}, ${audience(pipe)}`
  const why = isComplete ? '' : `${sentencePart(endingOf(pipe.endReason ?? 'fault', pipe).line)}, `
  return `${timeOfDay(time)} ${isComplete ? marks.done : marks.failed} ${loggable(pipe.key)}  ${why}${what}\n`
}

/** `16:23:03 · PUT /migration  200, 3.0 MB in, 97 B out, 14 ms, 127.0.0.1` */
export function requestForPerson(record: RequestRecord, time: number, marks: Marks): string {
  const { bytesIn, bytesOut, ms } = record
  const why = whyItFailed(record)
  const moved = `${bytesIn > 0 ? `${bytesInWords(bytesIn)} in, ` : ''}${bytesOut > 0 ? `${bytesInWords(bytesOut)} out, ` : ''}`
  return (
    `${timeOfDay(time)} ${why === '' ? marks.plain : marks.failed} ${loggable(record.method)} ${loggable(record.path)}  ` +
    `${record.status === 0 ? '' : `${record.status}, `}${why}${moved}${durationInWords(ms)}, ${loggable(record.remoteAddress)}\n`
  )
}

/** With a comma behind it; empty when nothing did. */
function whyItFailed({ status, outcome, reason, code }: RequestRecord): string {
  if (outcome === 'vanished') return "the client's machine does not answer, "
  // The client is told of its own end before it is gone: what happened to it comes first.
  if (outcome === 'aborted' && (reason === undefined || reason === 'complete'))
    return status === 0 ? 'the client left before the answer, ' : 'the client left, '
  if (reason !== undefined && reason !== 'complete') return `${sentencePart(ENDINGS[reason].line)}, `
  if (code !== undefined) return `${loggable(code).toLowerCase().replaceAll('_', ' ')}, `
  if (outcome === 'cut') return 'cut before its end, '
  return status >= 400 ? 'failed, ' : ''
}

/** A sentence that goes on: without its beginning and its full stop. */
function sentencePart(line: string): string {
  const rest = loggable(line)
    .replace(/^Transfer failed: /, '')
    .replace(/\.$/, '')
  return rest.charAt(0).toLowerCase() + rest.slice(1)
}

function audience({ kind, live, topic, receiversWanted }: PipeView): string {
  if (kind === 'duplex') return 'to the other peer'
  if (topic !== undefined) return `${counted(topic.messages, 'message')}, ${counted(topic.peak, 'subscriber')} at most`
  if (live === undefined) return counted(receiversWanted, 'receiver')
  const { peak, cuts } = live
  return `${counted(peak, 'viewer')} at most${cuts > 0 ? `, ${cuts} cut` : ''}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
