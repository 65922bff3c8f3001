import { Gauge, type Registry } from 'prom-client'
import type { GatewayView, Pipes, PipeView } from '../../gateway/host/plugin-api.js'

/** What is, read when somebody scrapes. */
export function gatewayGauges(registry: Registry, pipes: Pipes, gateway: GatewayView): void {
  // What one thread counts is added up, and what holds for the process said once.
  const gauge = (name: string, help: string, read: () => number, aggregator: 'sum' | 'first' = 'sum') => {
    new Gauge({
      name,
      help,
      aggregator,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  new Gauge({
    name: 'pipegate_pipes',
    help: 'Pipes that are not over, by state.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'waiting' }, pipes.waiting)
      this.set({ state: 'streaming' }, pipes.streaming)
    },
  })
  gauge(
    'pipegate_receivers',
    'Receivers that are connected, waiting ones and viewers too.',
    () => sumOf(pipes.all(), ({ receiversPresent }) => receiversPresent) + sumOf(pipes.names(), waitingOnNames),
  )
  gauge('pipegate_live_streams', 'Live streams that flow.', () =>
    sumOf(pipes.all(), (pipe) => (isFlowing(pipe) ? 1 : 0)),
  )
  gauge('pipegate_live_viewers', 'Viewers of live streams, waiting ones too.', () =>
    sumOf(pipes.all(), ({ live }) => live?.viewers ?? 0),
  )
  gauge('pipegate_queues', 'Names that are queues.', () => sumOf(pipes.names(), ({ queue }) => (queue ? 1 : 0)))
  gauge('pipegate_queue_transfers', 'Transfers of queues that run.', () =>
    sumOf(pipes.names(), ({ queue }) => queue?.running ?? 0),
  )
  new Gauge({
    name: 'pipegate_queue_waiting',
    help: 'Who waits on queues, by side.',
    labelNames: ['side'],
    registers: [registry],
    collect() {
      this.set(
        { side: 'sender' },
        sumOf(pipes.names(), ({ queue }) => queue?.senders ?? 0),
      )
      this.set({ side: 'receiver' }, sumOf(pipes.names(), waitingReceivers))
    },
  })
  gauge('pipegate_topics', 'Topics with somebody on them.', () =>
    sumOf(pipes.names(), ({ kind }) => (kind === 'topic' ? 1 : 0)),
  )
  gauge('pipegate_topic_subscribers', 'Subscribers of topics.', () =>
    sumOf(pipes.names(), ({ topic }) => topic?.subscribers ?? 0),
  )
  gauge('pipegate_topic_waiting_messages', 'Messages that wait for subscribers, or for those who are behind.', () =>
    sumOf(pipes.names(), ({ topic }) => topic?.waiting ?? 0),
  )
  gauge('pipegate_ask_names', 'Names on which questions are asked.', () =>
    sumOf(pipes.names(), ({ ask }) => (ask ? 1 : 0)),
  )
  gauge('pipegate_ask_unanswered', 'Questions that a worker has got, and whose answer is not over.', () =>
    sumOf(pipes.names(), ({ ask }) => ask?.unanswered ?? 0),
  )
  new Gauge({
    name: 'pipegate_ask_waiting',
    help: 'Who waits on names for questions, by side.',
    labelNames: ['side'],
    registers: [registry],
    collect() {
      this.set(
        { side: 'asker' },
        sumOf(pipes.names(), ({ ask }) => ask?.askers ?? 0),
      )
      this.set(
        { side: 'worker' },
        sumOf(pipes.names(), ({ ask }) => ask?.workers ?? 0),
      )
    },
  })
  gauge('pipegate_duplex_names', 'Names with a duplex pipe.', () =>
    sumOf(pipes.names(), ({ duplex }) => (duplex ? 1 : 0)),
  )
  new Gauge({
    name: 'pipegate_duplex_peers',
    help: 'Peers of duplex pipes, waiting ones too, by what they speak.',
    labelNames: ['protocol'],
    registers: [registry],
    collect() {
      this.set(
        { protocol: 'http' },
        sumOf(pipes.names(), ({ duplex }) => (duplex ? duplex.peers - duplex.webSockets : 0)),
      )
      this.set(
        { protocol: 'websocket' },
        sumOf(pipes.names(), ({ duplex }) => duplex?.webSockets ?? 0),
      )
    },
  })
  gauge('pipegate_open_requests', 'Requests whose response is not over.', () => gateway.openRequests)
  gauge('pipegate_window_bytes', 'How far a receiver may be behind another one.', () => gateway.window, 'first')
  gauge(
    'pipegate_held_bytes',
    'Bytes held: for receivers that have not taken them, of waiting senders, and of uploads on which plugins decide.',
    () => gateway.heldBytes,
  )
  gauge('pipegate_memory_limit_bytes', 'The most that pipegate_held_bytes may be.', () => gateway.memory, 'first')
  gauge(
    'pipegate_socket_helper_active',
    '1 while no sender can hold the event loop, else 0.',
    () => (gateway.socketHelperInactive === undefined ? 1 : 0),
    'first',
  )
  gauge(
    'pipegate_draining',
    '1 while the gateway takes no new work, else 0.',
    () => (gateway.draining ? 1 : 0),
    'first',
  )
}

function isFlowing({ kind, state }: PipeView): boolean {
  return kind === 'live' && state === 'streaming'
}

/** Those that belong to no transfer yet. */
function waitingOnNames({ queue, ask }: PipeView): number {
  return queue?.receivers ?? ask?.workers ?? 0
}

/** The same on queues. */
function waitingReceivers({ queue }: PipeView): number {
  return queue?.receivers ?? 0
}

function sumOf(pipes: Iterable<PipeView>, count: (pipe: PipeView) => number): number {
  let sum = 0
  for (const pipe of pipes) sum += count(pipe)
  return sum
}
