declare const owned: unique symbol

/**
 * Bytes lent by the transport for the length of one call. They may be handed on within that call, never kept: the
 * transport takes the memory back when the call returns.
 */
export type BorrowedBytes = Uint8Array

/** Bytes this process may keep. Only `keep()` and the slab pool make them, so a queue of these cannot hold a loan. */
export type OwnedBytes = Uint8Array & { readonly [owned]: true }

/** A copy of exactly these bytes that may be kept. */
export function keep(bytes: BorrowedBytes): OwnedBytes {
  // Not slice(): that of a Buffer is no copy.
  return new Uint8Array(bytes) as OwnedBytes
}

/** Declares memory that the caller has allocated itself, and lends to nobody else, as kept. */
export function own(memory: Uint8Array): OwnedBytes {
  return memory as OwnedBytes
}
