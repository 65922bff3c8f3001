/** Every way a pipe, or one side of it, can end. A pipe has exactly one; the first one recorded wins. */
export const END_REASONS = [
  /** Every receiver that stayed has been handed the last byte. */
  'complete',
  /** The sender's connection ended before its body did. */
  'sender_left',
  /** The body ended with another length than the one it announced. */
  'wrong_length',
  /** The transport found that the framing of the body is broken, so that its end is unknown. */
  'broken_body',
  /** The transport found that the form the stream is a part of is broken, so that the stream may not be whole. */
  'broken_form',
  /** The form has no part that could be the stream, or did not reach it in time. */
  'empty_form',
  /** The last receiver left before its last byte. */
  'receivers_left',
  /** The last receiver was cut because it took nothing for the time of the stall limit. */
  'receivers_stalled',
  /** One viewer of a live stream was cut, because it was further behind than it may be. The stream goes on. */
  'fell_behind',
  /** A receiver's wait ran out and no sender was there. */
  'no_sender',
  /** A side's wait ran out with a sender there and receivers missing. */
  'no_receivers',
  /** Every side that waited has left. */
  'abandoned',
  /** A worker got the question, and no answer had begun within the asker's time for it. */
  'no_answer',
  /** The answer of this question is over, and the rest of the question interests nobody. */
  'answered',
  /** The peer on the other side of a duplex pipe ended both directions in order, and hears nothing more. */
  'peer_closed',
  /** No byte moved in either direction for the time of the idle limit. */
  'idle',
  /** The slowest receiver took less than the minimum rate over its period. */
  'too_slow',
  /** More bytes came than this transfer may have. */
  'too_large',
  /** The transfer took longer than it may. */
  'too_long',
  /** A caller outside the core ended it, and says why in its own words. */
  'stopped',
  /** The pipe was ready, but the most transfers allowed were already streaming. */
  'too_many_active',
  /** Bytes came that no receiver could take yet, and the memory for such bytes is used up. */
  'overflow',
  /** The gateway is going down. */
  'shutting_down',
  /** A defect of this program. */
  'fault',
] as const

export type EndReason = (typeof END_REASONS)[number]

/** What can be wrong with a body. */
export type BodyFault = Extract<EndReason, 'broken_body' | 'broken_form' | 'empty_form' | 'too_large'>
