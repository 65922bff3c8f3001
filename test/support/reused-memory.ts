/** A stream as strict as it may be: the memory of a piece is used again as soon as the second one after it is asked for. */
export async function* inReusedMemory(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  const slabs = [Buffer.alloc(size), Buffer.alloc(size), Buffer.alloc(size)]
  for (let at = 0, i = 0; at < bytes.length; at += size, i = (i + 1) % slabs.length) {
    // Of the piece before the last one.
    slabs[(i + 1) % slabs.length]!.fill(0x5a)
    const count = bytes.copy(slabs[i]!, 0, at, at + size)
    yield slabs[i]!.subarray(0, count)
  }
}
