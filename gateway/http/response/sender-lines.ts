import type { EndReason, PipeView, SenderEvent } from '../../../core/index.js'
import { type EndedView, endingOf } from './endings.js'

/** The lines that a sender reads during its transfer, without line breaks: CONTRACT "Sending". */
export function newsLines(news: SenderEvent, pipe: PipeView): string[] {
  if (pipe.kind === 'live') return liveLines(news, pipe)
  const { receiversWanted: wanted, receiversPresent: present } = pipe
  switch (news) {
    case 'waiting':
      return [
        `[INFO] Waiting for ${wanted} receiver(s) to connect...`,
        ...(present > 0 ? [`[INFO] ${present} receiver(s) already connected.`] : []),
      ]
    case 'still_waiting':
      return [`[INFO] Still waiting for ${wanted - present} of ${wanted} receiver(s)...`]
    case 'looked':
      return lookedLines(pipe)
    case 'receiver_joined':
      return [`[INFO] A receiver connected, ${present} of ${wanted}.`]
    case 'receiver_left':
      return ['[INFO] A receiver disconnected.']
    case 'streaming':
      return [`[INFO] Streaming to ${wanted} receiver(s)...`]
    case 'given_back':
      return ['[INFO] The receiver left; waiting for another.']
    case 'uploaded':
      return ['[INFO] Upload complete.', ...(pipe.sha256 === undefined ? [] : [`[INFO] SHA-256: ${pipe.sha256}`])]
  }
}

/** Viewers come and go: once it streams, nobody is told of each. */
function liveLines(news: SenderEvent, pipe: PipeView): string[] {
  const { receiversWanted: wanted, receiversPresent: present } = pipe
  switch (news) {
    case 'looked':
      return lookedLines(pipe)
    case 'waiting':
      return present < wanted
        ? [`[INFO] Live: ${present} of ${wanted} viewer(s) are here. Waiting for the others...`]
        : []
    case 'still_waiting':
      return [`[INFO] Still waiting for ${wanted - present} of ${wanted} viewer(s)...`]
    case 'receiver_joined':
      return [`[INFO] A viewer connected, ${present} of ${wanted}.`]
    case 'receiver_left':
      return ['[INFO] A viewer disconnected.']
    case 'given_back':
    case 'uploaded':
      return []
    case 'streaming':
      return ['[INFO] Live: streaming. Viewers can join at any time.']
  }
}

function lookedLines({ looks }: PipeView): string[] {
  return [
    `[INFO] ${looks === 1 ? 'Somebody has' : `${looks} times somebody has`} looked at this link; nothing was taken.`,
  ]
}

/** The last line that a sender reads. */
export function endLine(reason: EndReason, pipe: EndedView): string {
  return `${reason === 'complete' ? '[INFO]' : '[ERROR]'} ${endingOf(reason, pipe).line}`
}
