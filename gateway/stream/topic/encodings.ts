import type { TopicEncoding } from '../../../core/index.js'
import { EventStream } from './event-stream.js'
import { MessageLines } from './message-lines.js'
import { MultipartMixed } from './multipart-mixed.js'
import { SocketFrames } from './socket-frames.js'

const EVENTS: TopicEncoding = { name: 'events', newFormat: () => new EventStream() }
const MULTIPART: TopicEncoding = { name: 'multipart', newFormat: () => new MultipartMixed() }
const NDJSON: TopicEncoding = { name: 'ndjson', newFormat: () => new MessageLines('application/x-ndjson') }
const LINES: TopicEncoding = { name: 'lines', newFormat: () => new MessageLines('text/plain; charset=utf-8') }

/** For WebSockets. */
export const SOCKETS: TopicEncoding = { name: 'sockets', newFormat: () => new SocketFrames() }

/** How a subscriber gets messages, by its `Accept`: the first of these that it names, whatever else it names. */
export function topicEncoding(accept: string): TopicEncoding {
  const types = accept.toLowerCase()
  if (types.includes('text/event-stream')) return EVENTS
  if (types.includes('multipart/mixed')) return MULTIPART
  return types.includes('application/x-ndjson') ? NDJSON : LINES
}
