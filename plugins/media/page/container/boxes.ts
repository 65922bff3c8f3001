/** Boxes of ISO/IEC 14496-12 (MP4). No DOM. */

export interface Box {
  readonly type: string
  /** Where it begins, where its content does, and its end: Infinity when it goes on to the end of the file. */
  readonly at: number
  readonly start: number
  readonly end: number
}

/** The box that begins at `at`; undefined when its head has not come yet. @throws RangeError for what is no box */
export function boxAt(bytes: Uint8Array, at: number): Box | undefined {
  if (at + 8 > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
  const size = view.getUint32(at)
  if (size === 0) return { type, at, start: at + 8, end: Number.POSITIVE_INFINITY }
  if (size !== 1) return checked({ type, at, start: at + 8, end: at + size })
  if (at + 16 > bytes.length) return undefined
  return checked({ type, at, start: at + 16, end: at + Number(view.getBigUint64(at + 8)) })
}

function checked(box: Box): Box {
  if (box.end < box.start) throw new RangeError('a box is shorter than its head')
  return box
}

/** Boxes from one place to another, all of whose bytes are there. @throws RangeError when one is longer than what it is in */
export function boxes(bytes: Uint8Array, start: number, end: number): Box[] {
  const found: Box[] = []
  for (let at = start; at + 8 <= end; at = found.at(-1)!.end) {
    const box = boxAt(bytes, at)
    if (box === undefined || box.end > end) throw new RangeError('a box is longer than what it is in')
    found.push(box)
  }
  return found
}

/** The box that these types lead to, each within the one before. */
export function boxIn(bytes: Uint8Array, outer: Box, ...path: readonly string[]): Box | undefined {
  let box: Box | undefined = outer
  for (const type of path) {
    if (box === undefined) return undefined
    box = boxes(bytes, box.start, box.end).find((each) => each.type === type)
  }
  return box
}
