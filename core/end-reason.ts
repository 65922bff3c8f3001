/** Every way a pipe, or one side of it, can end. A pipe has exactly one; the first one recorded wins. */
export const END_REASONS = [
  /** Every receiver that stayed has been handed the last byte. */
  'complete',
  /** The sender's connection ended before its body did. */
  'sender_left',
  /** The body ended with another length than the one it announced. */
  'wrong_length',
  /** The transport found that the body is not framed as it should be, so that nobody knows where it ends. */
  'broken_body',
  /** The transport found that the form the stream is a part of is broken, so that the stream may not be whole. */
  'broken_form',
  /** The form has nothing in it that could be the stream, or did not come to it in time. */
  'empty_form',
  /** The last receiver left before its last byte. */
  'receivers_left',
  /** The last receiver was cut because it took nothing for the stall limit. */
  'receivers_stalled',
  /** A receiver's wait ran out and no sender was there. */
  'no_sender',
  /** A side's wait ran out with a sender there and receivers missing. */
  'no_receivers',
  /** Everybody who waited has left. */
  'abandoned',
  /** No byte moved in either direction for the idle limit. */
  'idle',
  /** Over the period of the rate limit the slowest receiver took less than that. */
  'too_slow',
  /** More bytes came than this transfer may have. */
  'too_large',
  /** The transfer took longer than it may. */
  'too_long',
  /** Somebody above the core ended it, and says why in its own words. */
  'stopped',
  /** The pipe was ready, but as many transfers as allowed were already streaming. */
  'too_many_active',
  /** Bytes came that nobody could take yet, and the memory for such bytes is used up. */
  'overflow',
  /** The gateway is going down. */
  'shutting_down',
  /** A defect of this program. */
  'fault',
] as const

export type EndReason = (typeof END_REASONS)[number]
