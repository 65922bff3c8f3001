import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import type { PipeView } from '../../core/index.js'
import type { RequestRecord } from '../http/request-record.js'
import { requestJson, transferJson } from './json-lines.js'
import { givenTarget } from './line-target.js'
import { type Gap, LineWriter } from './line-writer.js'
import { COLOURED_MARKS, PLAIN_MARKS } from './marks.js'
import { entryForPerson, textForPerson } from './person-entry.js'
import { requestForPerson, transferForPerson } from './person-lines.js'
import { StartLines } from './start-lines.js'

export { loggableError } from './loggable.js'
export type { Logger }

/** How long an ordinary end waits for the last lines, and for a reader that takes none. */
const FLUSH = { ms: 5000, silentMs: 1000 }

/** Levels at which a terminal is told of the start. At the others only trouble is wanted. */
const WITH_BANNER = ['info', 'debug', 'trace']

/** The settings that the log depends on. */
export interface LogOptions {
  /** A level of pino, or `silent`. */
  readonly logLevel: string
  /** `auto`: pretty on a terminal, JSON lines elsewhere. */
  readonly logFormat: 'auto' | 'json' | 'pretty'
}

/** How lines look that are to stand in the log of this process. */
export interface LogLook extends LogOptions {
  readonly isColoured: boolean
}

/** Where lines go, each with its line break. */
export interface LineSink {
  write(line: string): unknown
}

/** The log of a gateway: a logger, and the two lines that are written so often that they have a way of their own. */
export interface GatewayLog {
  readonly logger: Logger
  /** One line for a request that is over. Null when the level leaves it out. */
  readonly request: ((record: RequestRecord) => void) | null
  /** One line for a pipe that is over. Null when the level leaves it out. */
  readonly transfer: ((pipe: PipeView) => void) | null
}

/** The log of a process: it has a start and an end. */
export interface ProcessLog extends GatewayLog {
  /** How its lines look. */
  readonly look: LogLook
  /** A person sees it on a terminal: a banner tells of the start, and its lines are kept back until {@link endStart}. */
  readonly hasBanner: boolean
  /** The start is over. Returns the warnings that were kept back, as a person reads them, without time. */
  endStart(): readonly string[]
  /** Writes text as it is, in its place between the lines. */
  print(text: string): void
  /** Resolves when what could be written is written. */
  flush(): Promise<void>
}

/** The log on standard output: JSON lines, or readable ones (see {@link LogOptions}). It never holds the process: see {@link LineWriter}. */
export function createLog(config: LogOptions): ProcessLog {
  const isTerminal = isatty(1)
  const isPretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && isTerminal)
  const isColoured = isTerminal && showsColours(process.env)
  const marks = isColoured ? COLOURED_MARKS : PLAIN_MARKS
  const gapLine = (gap: Gap) => (isPretty ? entryForPerson(gapJson(gap), marks) : gapJson(gap))
  const writer = new LineWriter('gateway', givenTarget(), gapLine)
  // Also when the process ends by an error, or by process.exit() of whoever.
  process.on('exit', () => writer.flushNow())
  const flush = async () => void (await writer.flush(FLUSH))
  const hasBanner = isTerminal && isPretty && WITH_BANNER.includes(config.logLevel)
  const start = hasBanner ? new StartLines(config.logLevel !== 'info') : undefined
  const look: LogLook = { logLevel: config.logLevel, logFormat: isPretty ? 'pretty' : 'json', isColoured }
  return {
    ...logTo(writer, look, isColoured, start),
    look,
    hasBanner,
    endStart: () => start?.end().map(textForPerson) ?? [],
    print: (text) => writer.write(text),
    flush,
  }
}

/** Whether a terminal is to be written to in colour: https://no-color.org, and `TERM=dumb` for one that has none. */
export function showsColours({ NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return !NO_COLOR && TERM !== 'dumb'
}

/**
 * A log on any sink. Here `auto` is JSON.
 * @param start keeps back lines of the start, where they are for a person
 */
export function logTo(
  sink: LineSink,
  { logLevel, logFormat }: LogOptions,
  isColoured = false,
  start?: StartLines,
): GatewayLog {
  const isPretty = logFormat === 'pretty'
  const marks = isColoured ? COLOURED_MARKS : PLAIN_MARKS
  const write = (json: string) => void (start?.takes(json) || sink.write(entryForPerson(json, marks)))
  const lines: LineSink = isPretty ? { write } : sink
  const logger = pino({ level: logLevel, base: null }, lines as pino.DestinationStream)
  if (!logger.isLevelEnabled('info')) return { logger, request: null, transfer: null }
  if (isPretty) {
    return {
      logger,
      request: (record) => void sink.write(requestForPerson(record, Date.now(), marks)),
      transfer: (pipe) => void sink.write(transferForPerson(pipe, Date.now(), marks)),
    }
  }
  return {
    logger,
    request: (record) => void sink.write(requestJson(record, Date.now())),
    transfer: (pipe) => void sink.write(transferJson(pipe, Date.now())),
  }
}

/** What stands where lines are missing. */
function gapJson({ lines, failure }: Gap): string {
  const why = failure?.message ?? 'they came faster than they were taken'
  return `${JSON.stringify({ level: 40, time: Date.now(), lines, why, msg: 'lines of the log were lost' })}\n`
}
