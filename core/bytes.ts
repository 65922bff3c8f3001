declare const owned: unique symbol

/**
 * Bytes that the transport lends for the duration of one call. They may be passed on within that call, but never kept: the
 * transport takes the memory back when the call returns.
 */
export type BorrowedBytes = Uint8Array

/** Bytes this process may keep. Only `keep()` and the slab pool make them, so a queue of these cannot hold borrowed bytes. */
export type OwnedBytes = Uint8Array & { readonly [owned]: true }

/** A copy of exactly these bytes that may be kept. */
export function keep(bytes: BorrowedBytes): OwnedBytes {
  // Not slice(): for a Buffer that is not a copy.
  return new Uint8Array(bytes) as OwnedBytes
}

/** Marks memory as owned that the caller has allocated itself and has lent to no one else. */
export function own(memory: Uint8Array): OwnedBytes {
  return memory as OwnedBytes
}
