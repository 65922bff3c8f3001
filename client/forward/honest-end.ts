import type { Socket } from 'node:net'

/** What is below a socket of Node. */
interface Handle {
  onread: (this: unknown, bytes?: ArrayBuffer) => unknown
  /** 0, or why it cannot be read from any more. */
  readStart(): number
}

/**
 * Makes a socket end only when the other side has ended it. When a reset comes together with the last bytes that the system has, libuv
 * reads the bytes and takes the rest for an end without a look (`uv__stream_io`: POLLHUP and a partial read), so that `end` follows where
 * an error should. Reading once more gets what it was. test/client/forward/reset.test.ts pins this.
 */
export function endOnlyAtAnEnd(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null }
  if (handle === null) return
  const { onread } = handle
  let isAsked = false
  handle.onread = function (bytes) {
    // Neither bytes: an end, or an error, behind which nothing can be read.
    if (bytes === undefined && !isAsked) {
      isAsked = true
      if (handle.readStart() === 0) return undefined
    }
    return onread.call(this, bytes)
  }
}
