import { type PipeTable, type PipeView, Refusal, type StreamHead } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import type { Parameters } from '../../../http/parameters.js'
import { type ReceiverOptions, receiverHead } from '../../../stream/receiver-headers.js'
import { fieldOf } from '../../../stream/stream-head.js'
import type { Admission } from '../../admission.js'
import type { Incoming, Outcome } from '../../incoming.js'
import type { RouterOptions } from '../../options.js'
import { readJoinOptions } from '../join-options.js'
import { readReceiverOptions } from '../receiver-options.js'
import { refuseServiceWorker } from '../service-worker.js'
import { LinesWorker } from './lines-worker.js'
import { refuseQueueReceiver, refuseWithLines } from './queue-options.js'
import { MOST_WHOLE } from './taken-line.js'

const WORKER = { side: 'receiver', right: 'receive' } as const

/** Requests of workers for many jobs. */
export class LinesWorkerHandler {
  /** Jobs that were found to be no lines. */
  readonly #unfit = new WeakSet<PipeView>()

  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters): Outcome {
    const { exchange, context, framing } = incoming
    const { request } = exchange
    const refusal =
      refuseServiceWorker(request) ?? refuseQueueReceiver(parameters) ?? refuseWithLines(parameters, 'receiver')
    if (refusal !== undefined) return refusal
    const options = readJoinOptions(parameters, this.options, 'queue')
    if (options instanceof Refusal) return options
    const wanted = readReceiverOptions(parameters, name)
    if (wanted instanceof Refusal) return wanted
    // A malformed body would be answered in the middle of the stream.
    if (framing.length !== 0) return new Refusal(FAILURES.bodyNotWanted)
    const accept = request.header('accept')
    return this.admission.admit(incoming, WORKER, name, () => {
      let worker: LinesWorker | undefined
      const sink = exchange.toFollowedSink({
        accept,
        respond: (head) => linesHead(head, wanted),
        additions: context ?? undefined,
        onOver: () => worker?.over(),
      })
      const ofJobs = {
        ...options,
        stays: true,
        limits: context?.limits,
        takes: (job: PipeView) => !this.#unfit.has(job) && mayBeLine(job),
      }
      const { table } = this
      const { memory, onFault } = this.options
      const key = context?.key ?? name
      const [head, unfit] = [headOf(accept), this.#unfit]
      worker = new LinesWorker({ table, key, options: ofJobs, head, sink, memory, unfit, onFault })
      return worker.start()
    })
  }
}

/** As far as can be told before it has come. */
function mayBeLine({ isLine, head }: PipeView): boolean {
  if (isLine === true || head === undefined) return true
  return (head.length ?? 0) <= MOST_WHOLE && fieldOf(head, 'Content-Encoding') === undefined
}

function headOf(accept: string): StreamHead {
  const type = accept.toLowerCase().includes('application/x-ndjson')
    ? 'application/x-ndjson'
    : 'text/plain; charset=utf-8'
  return { length: undefined, fields: [['Content-Type', type]] }
}

/** It is no transfer, but the way of many. */
function linesHead(head: StreamHead, wanted: ReceiverOptions) {
  const { status, headers } = receiverHead(head, { transferId: '', kind: 'queue' }, 0, wanted)
  return { status, headers: headers.filter(([name]) => !name.endsWith('Transfer-Id')) }
}
