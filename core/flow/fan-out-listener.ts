/** Is told what became of the stream. */
export interface FanOutListener {
  /** Every receiver that is present has the last byte. */
  streamFinished(): void
  /** Bytes came that must not be kept. */
  streamOverflowed(): void
  /** The clock, in milliseconds. */
  now(): number
}
