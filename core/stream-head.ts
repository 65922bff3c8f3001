/** What a sender says of its stream before the first byte. */
export interface StreamHead {
  /** Length of the whole stream in bytes, when announced. The stream must then have exactly this length. */
  readonly length: number | undefined
  /** Header fields for the receivers, as the sender wrote them. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}
