import { type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { PipeView } from '../core/index.js'
import type { Config } from './config.js'
import type { RequestRecord } from './request-log.js'

export type { Logger }

/** JSON lines on standard output; coloured and readable when that is a terminal. */
export function createLog(config: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stdout.isTTY === true)
  const options = { level: config.logLevel, base: null }
  if (!pretty) return pino(options)
  return pino(options, PinoPretty({ colorize: process.stdout.isTTY === true, ignore: 'pid,hostname', sync: true }))
}

/** One line for a request that is over. */
export function logRequest(log: Logger, record: RequestRecord): void {
  log.info(record, 'request')
}

/** One line for a pipe that is over. */
export function logTransfer(log: Logger, pipe: PipeView): void {
  // A pipe that never streamed has only waited.
  const from = pipe.pairedAt ?? pipe.endedAt ?? pipe.openedAt
  log.info(
    {
      name: pipe.key,
      transferId: pipe.transferId,
      reason: pipe.endReason,
      receivers: pipe.receiversWanted,
      bytesIn: pipe.bytesIn,
      bytesOut: pipe.bytesOut,
      waitedMs: Math.round(from - pipe.openedAt),
      streamedMs: Math.round((pipe.endedAt ?? from) - from),
    },
    'transfer',
  )
}
