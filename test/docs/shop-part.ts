import { spawn } from 'node:child_process'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'

export const WITHIN = { timeoutMs: 30_000 }

export interface Part {
  readonly running: { readonly text: string; readonly ended: boolean }
  /** Its exit code. */
  readonly ends: Promise<number | null>
  stop(): Promise<void>
  /** Resolves when it has printed this. */
  says(text: string): Promise<void>
}

/** Starts one program of examples/shop in a process group of its own, as in a terminal. It ends with the test. */
export function startPart(t: Test, command: readonly string[], env: NodeJS.ProcessEnv): Part {
  const [program = '', ...args] = command
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env })
  const running = { text: '', ended: false }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      running.text += chunk
    })
  }
  const ends = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.ended = true
      resolve(code)
    })
  })
  const stop = async () => {
    if (!running.ended) process.kill(-child.pid!, 'SIGTERM')
    await ends
  }
  t.teardown(stop)
  const says = (text: string) => eventually(() => running.text.includes(text) || running.text, WITHIN)
  return { running, ends, stop, says }
}
