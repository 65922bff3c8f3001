/**
 * A gateway that says how many bytes of heap each read took. Run with `ROOMY` and an IPC channel: it sends its port, and for
 * each message it receives what was measured since the one before.
 */
import { pino } from 'pino'
import { SenderSeat } from '../../core/seats.js'
import { loadConfig } from '../../gateway/config.js'
import { Gateway } from '../../gateway/gateway.js'
import { measureHeap } from './heap.js'

export interface Measured {
  readonly reads: number
  readonly bytes: number
}

const gateway = new Gateway(loadConfig({ flags: { port: '0' }, env: {} }), pino({ level: 'silent' }))
let reads = 0
const feed = SenderSeat.prototype.feed
SenderSeat.prototype.feed = function (this: SenderSeat, bytes) {
  reads++
  feed.call(this, bytes)
}

let allocated = measureHeap()
process.on('message', () => {
  process.send!({ reads, bytes: allocated() } satisfies Measured)
  reads = 0
  allocated = measureHeap()
})
process.on('disconnect', () => process.exit())
process.send!(await gateway.start())
