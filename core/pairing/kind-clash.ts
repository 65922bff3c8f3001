import { CORE_FAILURES, Refusal } from '../failure.js'
import type { KindName } from '../kind.js'

const IN_WORDS: Readonly<Record<KindName, string>> = {
  pipe: 'a pipe',
  live: 'a live stream',
  queue: 'a queue',
  topic: 'a topic',
  ask: 'a name for questions',
  duplex: 'a duplex pipe',
}

/** Why a side that wants another kind cannot join; undefined when it is the same. */
export function refuseKind(
  { kind }: { readonly kind: KindName },
  options: { readonly kind?: KindName | undefined },
): Refusal | undefined {
  const wanted = options.kind ?? 'pipe'
  if (wanted === kind) return undefined
  return new Refusal(CORE_FAILURES.kindClash, { found: IN_WORDS[kind], wanted: IN_WORDS[wanted] })
}
