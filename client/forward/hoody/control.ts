import * as v from 'valibot'
import { ConnectionLost } from '../../wire/failures.js'

/** Version 1: docs/forward.md has all of it. */
export const VERSION = 1
/** So many units are under way in a direction at most, until they are acknowledged. */
export const WINDOW = 1024 * 1024
/** The bytes of a frame, at most. */
export const FRAME_MOST = 64 * 1024
/** With so many units written to the local connection, an acknowledgement is due. */
export const ACK_EVERY = 256 * 1024

/** The units that a frame costs: one for each byte, and some for itself. */
export function costOf(frame: Uint8Array): number {
  return frame.length + 64
}

const CONTROL = v.variant('t', [
  /** The first one of each side, which sends nothing else until it has the other's. */
  v.object({ t: v.literal('hello'), v: v.number() }),
  /** So many units more have been written to the local connection. */
  v.object({ t: v.literal('ack'), n: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  /** The last one of a direction. */
  v.object({ t: v.literal('fin') }),
])

type Control = v.InferOutput<typeof CONTROL>

/** The other side does what version 1 does not allow. `message` is part of a sentence. */
export class ProtocolBroken extends ConnectionLost {}

/** @throws ProtocolBroken */
export function readControl(text: string): Control {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // No text of this protocol.
  }
  const { success, output } = v.safeParse(CONTROL, value)
  if (!success) throw new ProtocolBroken('what comes is not what a forward of Hoody sends')
  return output as Control
}

export function writeControl(control: Control): string {
  return JSON.stringify(control)
}
