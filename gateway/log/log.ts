import { type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { PipeView } from '../../core/index.js'
import type { RequestRecord } from '../http/request-record.js'

export type { Logger }

/** The settings that the log depends on. */
export interface LogOptions {
  /** A level of pino, or `silent`. */
  readonly logLevel: string
  /** `auto`: pretty on a terminal, JSON lines elsewhere. */
  readonly logFormat: 'auto' | 'json' | 'pretty'
}

/** An error as the log shows it. What was thrown may be anything, even something that throws when it is looked at. */
export function loggableError(error: unknown): unknown {
  try {
    return pino.stdSerializers.err(error as Error)
  } catch {
    return 'something that cannot be shown'
  }
}

/** JSON lines on standard output, or readable ones: see {@link LogOptions}. */
export function createLog(config: LogOptions): Logger {
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stdout.isTTY === true)
  const options = { level: config.logLevel, base: null }
  if (!pretty) return pino(options)
  return pino(options, PinoPretty({ colorize: process.stdout.isTTY === true, ignore: 'pid,hostname', sync: true }))
}

/** One line for a request that is over. */
export function logRequest(log: Logger, record: RequestRecord): void {
  log.info({ ...record, method: loggable(record.method), path: loggable(record.path) }, 'request')
}

/** One line for a pipe that is over. */
export function logTransfer(log: Logger, pipe: PipeView): void {
  // A pipe that never streamed has only waited.
  const streamingFrom = pipe.pairedAt ?? pipe.endedAt ?? pipe.openedAt
  log.info(
    {
      pipe: loggable(pipe.key),
      transferId: pipe.transferId,
      reason: pipe.endReason,
      receivers: pipe.receiversWanted,
      bytesIn: pipe.bytesIn,
      bytesOut: pipe.bytesOut,
      bytesSkipped: pipe.bytesSkipped > 0 ? pipe.bytesSkipped : undefined,
      waitedMs: Math.round(streamingFrom - pipe.openedAt),
      streamedMs: Math.round((pipe.endedAt ?? streamingFrom) - streamingFrom),
    },
    'transfer',
  )
}

/** A client's text without control characters that a terminal would obey, and no longer than a name may be. */
function loggable(text: string): string {
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?')
  return plain.length > 1200 ? `${plain.slice(0, 1200)}...` : plain
}
