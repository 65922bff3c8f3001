/** Runs a program to its end, as a user would in a script. */
import { spawn } from 'node:child_process'

export interface CommandResult {
  /** The exit code, or null when a signal ended it. */
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Little that a test runs takes longer; one that hangs fails the test instead of holding it. */
const TIMEOUT_MS = 30_000

export function command(program: string, args: readonly string[], timeout = TIMEOUT_MS): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // A proxy of whoever runs the tests must not be asked.
    const env = { ...process.env, no_proxy: '*', NO_PROXY: '*' }
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout, env })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.once('error', reject)
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    )
  })
}
