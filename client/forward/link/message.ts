import * as v from 'valibot'

const TEXT = v.pipe(v.string(), v.maxLength(300))
const ID = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{16,64}$/))

const MESSAGE = v.variant('type', [
  /** The first line. `session` is another one each time that a side begins anew. */
  v.object({ type: v.literal('hello'), version: v.number(), session: ID }),
  /** The other side's hello has come: it has this session. */
  v.object({ type: v.literal('met'), session: ID }),
  /** The ways that this side can take, where there are more than pipes. */
  v.object({ type: v.literal('ways'), ways: v.pipe(v.array(TEXT), v.maxLength(16)) }),
  /** A connection was accepted, and waits under this id, by this way: pipes when none is named. */
  v.object({ type: v.literal('open'), id: ID, way: v.optional(TEXT) }),
  /** There will be no connection for it. */
  v.object({ type: v.literal('refused'), id: ID, why: TEXT }),
])

/** What the two sides tell each other, a line of JSON each. An empty line says only that its side is there. */
export type Message = v.InferOutput<typeof MESSAGE>

/** undefined for what this version does not know. */
export function readMessage(line: string): Message | undefined {
  try {
    const { success, output } = v.safeParse(MESSAGE, JSON.parse(line))
    return success ? (output as Message) : undefined
  } catch {
    return undefined
  }
}

export function writeMessage(message: Message): string {
  return `${JSON.stringify(message)}\n`
}
