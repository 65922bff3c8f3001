/** The job that asks a server of ordinary requests: `ask`. */

import type { Target } from './dial.js'
import type { JobKind } from './job.js'
import { Talker } from './talker.js'

export interface AskArgs {
  readonly target: Target
  readonly path: string
  /** How many, and how many at a time, each on a connection that is kept. */
  readonly requests: number
  readonly parallel: number
  /** Each answer has so many. */
  readonly bytes: number
}

/** Asks again and again. Resolves with the seconds that it took; rejects when an answer is not as long as it should be. */
export const ask: JobKind<AskArgs, number> = async ({ target, path, requests, parallel, bytes }) => {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: perf\r\nAccept: */*\r\n\r\n`)
  const from = performance.now()
  let begun = 0
  const work = async (): Promise<void> => {
    let received = 0
    const talker = new Talker(target, 'receiver', false, (_bytes, start, end) => {
      received += end - start
    })
    for (; begun++ < requests; received = 0) {
      await talker.ask(request)
      if (received !== bytes) throw new Error(`an answer had ${received} bytes instead of ${bytes}`)
    }
    talker.close()
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return (performance.now() - from) / 1000
}
