import { Counter, Histogram, type Registry } from 'prom-client'
import { END_REASONS, type Hooks, type Pipes, type PipeView } from '../../gateway/host/plugin-api.js'
import { runningTotal } from './running-total.js'

/** Seconds: from a line of text to a long backup. */
const DURATIONS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400]

type Amount = 'bytesIn' | 'bytesSent' | 'heldBackMs' | 'skips' | 'cuts' | 'messages' | 'subscriberCuts'
const AMOUNTS = ['bytesIn', 'bytesSent', 'heldBackMs', 'skips', 'cuts', 'messages', 'subscriberCuts'] as const

/**
 * What transfers move: the sum over those that are over and those that run. Only what has been paired counts: a waiting
 * sender that leaves takes its first bytes along, and a total must not fall.
 */
export class Transfers {
  readonly #pipes: Pick<Pipes, 'all'>
  readonly #over: Record<Amount, number> = {
    bytesIn: 0,
    bytesSent: 0,
    heldBackMs: 0,
    skips: 0,
    cuts: 0,
    messages: 0,
    subscriberCuts: 0,
  }
  readonly #ended: Counter<'reason'>
  readonly #givenBack: Counter
  readonly #lines: Counter<'outcome'>
  readonly #takenBack: Counter
  readonly #waited: Histogram
  readonly #streamed: Histogram

  constructor(registry: Registry, pipes: Pick<Pipes, 'all'>) {
    this.#pipes = pipes
    runningTotal({
      registry,
      name: 'pipegate_received_bytes_total',
      help: 'Bytes read from senders whose transfer has begun; grows while transfers run.',
      read: () => this.#total('bytesIn'),
    })
    runningTotal({
      registry,
      name: 'pipegate_sent_bytes_total',
      help: 'Bytes that all receivers together have taken; grows while transfers run.',
      read: () => this.#total('bytesSent'),
    })
    runningTotal({
      registry,
      name: 'pipegate_backpressure_seconds_total',
      help: 'For how long senders were held back by their receivers, all transfers together.',
      read: () => this.#total('heldBackMs') / 1000,
    })
    runningTotal({
      registry,
      name: 'pipegate_live_skips_total',
      help: 'How often parts of a live stream were left out for a viewer that was slow.',
      read: () => this.#total('skips'),
    })
    runningTotal({
      registry,
      name: 'pipegate_live_cuts_total',
      help: 'Viewers of live streams that were cut because they were slow.',
      read: () => this.#total('cuts'),
    })
    runningTotal({
      registry,
      name: 'pipegate_topic_messages_total',
      help: 'Messages that topics with somebody on them have accepted.',
      read: () => this.#total('messages'),
    })
    runningTotal({
      registry,
      name: 'pipegate_topic_cuts_total',
      help: 'Subscribers of topics that were cut because they were slow.',
      read: () => this.#total('subscriberCuts'),
    })
    const registers = [registry]
    this.#ended = new Counter({
      name: 'pipegate_transfers_total',
      help: 'Pipes that ended, by reason; those that never had both sides count too.',
      labelNames: ['reason'],
      registers,
    })
    // A rate needs the zero before the first one.
    for (const reason of END_REASONS) this.#ended.inc({ reason }, 0)
    this.#givenBack = new Counter({
      name: 'pipegate_queue_returns_total',
      help: 'How often a receiver of a queue was gone before anything had arrived, and another one got the stream.',
      registers,
    })
    this.#lines = new Counter({
      name: 'pipegate_queue_lines_total',
      help: 'Lines of uploads to queues, by what became of them as jobs.',
      labelNames: ['outcome'],
      registers,
    })
    for (const outcome of ['delivered', 'lost', 'withdrawn']) this.#lines.inc({ outcome }, 0)
    this.#takenBack = new Counter({
      name: 'pipegate_ask_returns_total',
      help: 'How often a worker was gone before anything of its question had arrived, and another one got it.',
      registers,
    })
    const buckets = DURATIONS
    this.#waited = new Histogram({
      name: 'pipegate_wait_duration_seconds',
      help: 'From the first side of a pipe to its transfer, or to the end of the wait.',
      buckets,
      registers,
    })
    this.#streamed = new Histogram({
      name: 'pipegate_transfer_duration_seconds',
      help: 'From pairing to the end of a transfer.',
      buckets,
      registers,
    })
  }

  readonly hooks = {
    onLeft: (pipe, side) => {
      if (side !== 'receiver') return
      if (pipe.kind === 'queue') this.#givenBack.inc()
      else if (pipe.kind === 'ask') this.#takenBack.inc()
    },
    onEnded: (pipe) => {
      if (pipe.pairedAt !== undefined) {
        for (const amount of AMOUNTS) this.#over[amount] += amountOf(pipe, amount)
      }
      const endedAt = pipe.endedAt ?? pipe.openedAt
      this.#ended.inc({ reason: pipe.endReason ?? 'fault' })
      if (pipe.isLine) this.#lines.inc({ outcome: outcomeOf(pipe) })
      this.#waited.observe(((pipe.pairedAt ?? endedAt) - pipe.openedAt) / 1000)
      if (pipe.pairedAt !== undefined) this.#streamed.observe((endedAt - pipe.pairedAt) / 1000)
    },
  } satisfies Hooks

  #total(amount: Amount): number {
    let total = this.#over[amount]
    for (const pipe of this.#pipes.all()) if (pipe.state === 'streaming') total += amountOf(pipe, amount)
    return total
  }
}

function outcomeOf({ endReason, pairedAt }: PipeView): string {
  if (endReason === 'complete') return 'delivered'
  return pairedAt === undefined ? 'withdrawn' : 'lost'
}

function amountOf(pipe: PipeView, amount: Amount): number {
  switch (amount) {
    case 'skips':
    case 'cuts':
      return pipe.live?.[amount] ?? 0
    case 'messages':
      return pipe.topic?.messages ?? 0
    case 'subscriberCuts':
      return pipe.topic?.cuts ?? 0
    default:
      return pipe[amount]
  }
}
