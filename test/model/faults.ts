/**
 * Mistakes that could be made in the core, one at a time. The model must notice every one of them: a model that has never been
 * red proves nothing.
 */

export interface Fault {
  readonly name: string
  /** The compiled file, below core/. */
  readonly in: string
  /** Text that occurs in it exactly once. Any white space matches any other. */
  readonly replace: string
  readonly by: string
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'a cursor counts one byte too few',
    in: 'flow/fan-out.js',
    replace: 'cursor.taken += took;',
    by: 'cursor.taken += took > 1 ? took - 1 : took;',
  },
  {
    name: 'a cursor reads one byte too far into its slab',
    in: 'flow/window.js',
    replace: 'subarray(offset - segment.from, segment.used)',
    by: 'subarray(offset - segment.from + 1, segment.used + 1)',
  },
  {
    name: 'a chunk that every receiver has begun is not kept',
    in: 'flow/fan-out.js',
    replace: 'if (behind > 0 && !this.#keep(',
    by: 'if (slowest <= before && !this.#keep(',
  },
  {
    name: 'a chunk is kept for the last cursor only',
    in: 'flow/fan-out.js',
    replace: 'if (cursor.taken < slowest) slowest = cursor.taken; } const behind =',
    by: 'slowest = cursor.taken; } const behind =',
  },
  {
    name: 'a chunk is kept whole although its front was taken',
    in: 'flow/fan-out.js',
    replace: 'slowest > before ? chunk.subarray(slowest - before) : chunk',
    by: 'chunk',
  },
  {
    name: 'a small piece is kept without a copy',
    in: 'flow/window.js',
    replace: 'memory: keep(bytes)',
    by: 'memory: bytes',
  },
  {
    name: 'a kept segment is freed before the slowest receiver has passed its end',
    in: 'flow/window.js',
    replace: 'first.from + first.used <= offset',
    by: 'first.from < offset',
  },
  {
    name: 'a kept segment is not freed when all receivers have passed it',
    in: 'flow/fan-out.js',
    replace: 'this.#window.release(slowest);',
    by: '',
  },
  {
    name: 'a freed slab is not given back',
    in: 'flow/window.js',
    replace: 'if (first.pooled)',
    by: 'if (false)',
  },
  {
    name: 'a freed slab is given back twice',
    in: 'flow/slab-pool.js',
    replace: 'this.#free.push(slab);',
    by: 'this.#free.push(slab, slab);',
  },
  {
    name: 'what a sender that left had sent is not freed',
    in: 'pairing/pipe.js',
    replace: 'this.sender = undefined; endpoint.fanOut.discard();',
    by: 'this.sender = undefined;',
  },
  {
    name: 'a full cursor is offered more',
    in: 'flow/fan-out.js',
    replace: 'if (!cursor.full) this.#offer(cursor, chunk);',
    by: 'this.#offer(cursor, chunk);',
  },
  {
    name: 'a cursor whose sink is full is not marked as full',
    in: 'flow/fan-out.js',
    replace: 'if (cursor.sink.isFull) cursor.full = true;',
    by: '',
  },
  {
    name: 'a cursor that drained stays marked as full',
    in: 'flow/fan-out.js',
    replace: 'cursor.full = false; this.#advance(cursor);',
    by: 'this.#advance(cursor);',
  },
  {
    name: 'the pause is forgotten',
    in: 'flow/flow-control.js',
    replace: 'if (pause) this.source.pause();',
    by: 'if (pause) ;',
  },
  {
    name: 'the pause comes one byte late',
    in: 'flow/flow-control.js',
    replace: 'behind >= this.#highWater',
    by: 'behind > this.#highWater',
  },
  {
    name: 'the resume is forgotten',
    in: 'flow/flow-control.js',
    replace: 'else this.source.resume();',
    by: '',
  },
  {
    name: 'the resume waits until every receiver has everything',
    in: 'flow/flow-control.js',
    replace: 'behind <= this.#highWater / 2',
    by: 'behind <= 0',
  },
  {
    name: 'the resume does not wait for half of the window',
    in: 'flow/flow-control.js',
    replace: 'else if (behind >= this.#highWater) this.#overHighWater = true;',
    by: 'else this.#overHighWater = behind >= this.#highWater;',
  },
  {
    name: 'the source flows although no receiver can take more',
    in: 'flow/flow-control.js',
    replace: 'const pause = this.#overHighWater || !hasRoom || this.#isThrottled();',
    by: 'const pause = this.#overHighWater || this.#isThrottled();',
  },
  {
    name: 'one full cursor stops the source for receivers that can take more',
    in: 'flow/fan-out.js',
    replace: 'if (!cursor.full) hasRoom = true; if (cursor.taken',
    by: 'hasRoom = !cursor.full; if (cursor.taken',
  },
  {
    name: 'bytes in flight count as delivered',
    in: 'flow/cursor.js',
    replace: 'return this.taken - this.sink.queued();',
    by: 'return this.taken;',
  },
  {
    name: 'a receiver that leaves does not count as progress',
    in: 'flow/fan-out.js',
    replace: 'cursor.present ? cursor.delivered : cursor.taken + 1',
    by: 'cursor.present ? cursor.delivered : cursor.taken',
  },
  {
    name: 'every period of the rate limit begins with the first byte',
    in: 'flow/watchdog.js',
    replace: 'this.#delivered += delivered;',
    by: '',
  },
  {
    name: 'a source that has ended is resumed',
    in: 'flow/flow-control.js',
    replace: 'if (this.#stopped || !this.#started)',
    by: 'if (!this.#started)',
  },
  {
    name: 'more is held than allowed',
    in: 'flow/fan-out.js',
    replace: 'behind <= this.limits.holdBytes &&',
    by: '',
  },
  {
    name: 'a slow receiver that leaves keeps the sender waiting',
    in: 'pairing/pipe.js',
    replace: 'sender.fanOut.settle();',
    by: '',
  },
  {
    name: 'a receiver that leaves is still waited for',
    in: 'flow/fan-out.js',
    replace: 'cursor.present = false; if (this.#cursors.some((each) => each.present))',
    by: 'if (this.#cursors.some((each) => each !== cursor && each.present))',
  },
  {
    name: 'a pipe ends twice',
    in: 'pairing/pipe.js',
    replace: "if (this.state === 'ended') return; this.state = 'ended';",
    by: "this.state = 'ended';",
  },
  {
    name: 'the name is not free after the end',
    in: 'pairing/pipe-table.js',
    replace: 'this.#pipes.delete(pipe.key);',
    by: '',
  },
  {
    name: 'the count of streaming transfers only grows',
    in: 'pairing/pipe-table.js',
    replace: 'this.#streaming--',
    by: 'void 0',
  },
  {
    name: 'a pipe that never streamed is subtracted from the count',
    in: 'pairing/pipe-table.js',
    replace: 'if (pipe.pairedAt !== undefined)',
    by: '',
  },
  {
    name: 'one transfer more than allowed',
    in: 'pairing/pipe-table.js',
    replace: 'this.#streaming < this.limits.maxActive',
    by: 'this.#streaming <= this.limits.maxActive',
  },
  {
    name: 'another n is accepted',
    in: 'pairing/pipe-table.js',
    replace: 'pipe.receiversWanted !== options.receivers',
    by: 'pipe.receiversWanted < options.receivers',
  },
  {
    name: 'a second sender takes the place of the first',
    in: 'pairing/pipe-table.js',
    replace: 'if (found?.sender !== undefined)',
    by: 'if (false)',
  },
  {
    name: 'a closed table lets receivers in',
    in: 'pairing/pipe-table.js',
    replace: 'if (this.#closed)',
    by: "if (this.#closed && 'transferId' in options)",
  },
  {
    name: "a receiver's wait goes on while it streams",
    in: 'pairing/pipe.js',
    replace: 'for (const endpoint of this.receivers) endpoint.stopWaiting(); let { newDigest } = options;',
    by: 'let { newDigest } = options;',
  },
  {
    name: 'a sender that streams is still reminded',
    in: 'pairing/sender-endpoint.js',
    replace: 'this.#reminder?.cancel();',
    by: '',
  },
  {
    name: "a waiting receiver's place is not freed when it leaves",
    in: 'pairing/pipe.js',
    replace: 'this.receivers.splice(this.receivers.indexOf(endpoint), 1);',
    by: '',
  },
  {
    name: 'a sender that fails takes the last waiting receiver along',
    in: 'pairing/pipe.js',
    replace: "this.state === 'waiting' && this.receivers.length > 0",
    by: "this.state === 'waiting' && this.receivers.length > 1",
  },
  {
    name: 'a failed transfer is finished instead of cut',
    in: 'pairing/pipe.js',
    replace: 'if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.abort(reason, this);',
    by: 'if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.finish();',
  },
  {
    name: 'a receiver that has the last byte is cut by a later failure',
    in: 'pairing/pipe.js',
    replace: 'if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.abort(reason, this);',
    by: 'if (endpoint.cursor.present) endpoint.cursor.sink.abort(reason, this);',
  },
  {
    name: 'a transfer is complete before the last byte has been handed on',
    in: 'flow/fan-out.js',
    replace: 'if (cursor.present && !cursor.finished) return;',
    by: 'if (cursor.present && cursor.taken < this.bytesIn) return;',
  },
  {
    name: 'a body that is shorter than announced completes',
    in: 'pairing/pipe.js',
    replace: 'length !== endpoint.fanOut.bytesIn',
    by: 'length < endpoint.fanOut.bytesIn',
  },
  {
    name: 'a sender that leaves after its whole body ends the transfer',
    in: 'pairing/pipe.js',
    replace: 'else if (!endpoint.fanOut.sourceEnded)',
    by: 'else',
  },
  {
    name: 'a stall cuts the wrong receiver',
    in: 'pairing/pipe.js',
    replace: 'this.receivers.find((endpoint) => endpoint.cursor === cursor)',
    by: 'this.receivers.find((endpoint) => endpoint.cursor.present)',
  },
  {
    name: 'a receiver for which no bytes wait stalls',
    in: 'flow/fan-out.js',
    replace: 'const expected = cursor.taken < this.bytesIn || this.sourceEnded;',
    by: 'const expected = true;',
  },
  {
    name: 'a byte that is delivered does not count as progress',
    in: 'flow/fan-out.js',
    replace: 'progress += cursor.present ?',
    by: 'progress += cursor.present ? 0 : cursor.present ?',
  },
  {
    name: 'deadlines come early',
    in: 'clock.js',
    replace: 'if (call.due > now) continue;',
    by: 'if (call.due > now + 50) continue;',
  },
  {
    name: 'a deadline comes more than once',
    in: 'clock.js',
    replace: 'call.cancel(); run();',
    by: 'run();',
  },
  {
    name: 'a body may be longer than it announced',
    in: 'pairing/sender-endpoint.js',
    replace: 'this.#announced = head?.length ?? Number.POSITIVE_INFINITY',
    by: 'this.#announced = Number.POSITIVE_INFINITY',
  },
  {
    name: 'a stream begins before its head is known',
    in: 'pairing/pipe.js',
    replace: '|| head === undefined ||',
    by: '||',
  },
  {
    name: 'a head that comes late begins nothing',
    in: 'pairing/sender-endpoint.js',
    replace: 'this.pipe.headKnown();',
    by: ';',
  },
  {
    name: 'a side that waits for a head is told that receivers are missing',
    in: 'pairing/pipe.js',
    replace: "? 'no_receivers' : 'empty_form'",
    by: "? 'no_receivers' : 'no_receivers'",
  },
  {
    name: 'bytes that come after the end are still taken',
    in: 'pairing/sender-endpoint.js',
    replace: "this.pipe.sender === this && this.pipe.state !== 'ended'",
    by: 'this.pipe.sender === this',
  },
  {
    name: 'a sink that drains while it finishes is finished twice',
    in: 'flow/fan-out.js',
    replace: 'cursor.finishing = true;',
    by: '',
  },
  {
    name: 'the limit of the side that came first holds alone',
    in: 'pairing/transfer-limits.js',
    replace: 'this.maxBytes = Math.min(this.maxBytes, limits.maxBytes ?? this.maxBytes);',
    by: 'if (this.maxBytes === Infinity) this.maxBytes = limits.maxBytes ?? this.maxBytes;',
  },
  {
    name: 'only bytes that have come count against the size limit when the stream begins',
    in: 'pairing/pipe.js',
    replace: 'Math.max(fanOut.bytesIn, head.length ?? 0)',
    by: 'fanOut.bytesIn',
  },
  {
    name: 'one byte more than the size limit is let through',
    in: 'pairing/sender-endpoint.js',
    replace: 'total > this.pipe.limits.maxBytes',
    by: 'total > this.pipe.limits.maxBytes + 1',
  },
  {
    name: 'a waiting sender may send more than its own size limit',
    in: 'pairing/sender-endpoint.js',
    replace: 'total > this.#maxBytes ||',
    by: '',
  },
  {
    name: 'the limit on the whole time is left behind at the end',
    in: 'flow/watchdog.js',
    replace: 'this.#total?.cancel();',
    by: '',
  },
  {
    name: 'the loosest limit on the whole time holds',
    in: 'pairing/transfer-limits.js',
    replace: 'this.totalMs = Math.min(this.totalMs, limits.totalMs ?? this.totalMs);',
    by: 'this.totalMs = limits.totalMs ?? this.totalMs;',
  },
  {
    name: 'a pipe that only waits is not stopped',
    in: 'pairing/pipe.js',
    replace: "if (this.state === 'ended') return; this.endFailure",
    by: "if (this.state !== 'streaming') return; this.endFailure",
  },
  {
    name: 'a transfer that lost its last receiver counts as received',
    in: 'flow/fan-out.js',
    replace: '? this.#takenByLast : slowest',
    by: '? this.bytesIn : slowest',
  },
]
