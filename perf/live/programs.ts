/** The sender and the viewers of live streams: two small C programs, since a thousand viewers in Node would be most of the load. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { adopt, end } from '../children.js'
import { PROJECT } from '../paths.js'
import { isOnPath } from '../peers.js'

/** How a relay takes a stream: one chunked `PUT`, as Icecast does, or a `POST` for each frame. */
export type SendKind = 'put' | 'source' | 'post'

export const needsCompiler = () => (isOnPath('gcc') ? null : 'gcc is not installed')

/** Compiles both into this folder. */
export function buildPrograms(folder: string): void {
  for (const name of ['send', 'watch']) {
    const source = `${PROJECT}perf/live/${name}.c`
    execFileSync('gcc', ['-O2', '-D_GNU_SOURCE', '-Wall', '-o', `${folder}/live-${name}`, source, '-lm'])
  }
}

/** One of the programs, which prints lines of JSON. */
export class Program<Line> {
  readonly lines: Line[] = []
  /** Rejects when it ends before it is told to, with what it says about that. */
  readonly failed: Promise<never>
  readonly #child: ChildProcess
  #ending = false
  #wake = () => {}

  constructor(file: string, args: readonly (string | number)[]) {
    const child = spawn(file, args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = adopt(child)
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000)
    })
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line)
      this.#wake()
    })
    this.failed = new Promise((_, reject) => {
      child.once('close', (code) => {
        if (!this.#ending) reject(new Error(`${file} ended with ${code}: ${complaint.trim()}`))
      })
    })
    this.failed.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** The next line that it prints. */
  next(): Promise<Line> {
    const line = new Promise<Line>((resolve) => {
      this.#wake = () => resolve(this.lines.at(-1)!)
    })
    return Promise.race([line, this.failed])
  }

  /** Forget what has been counted so far. */
  reset(): void {
    this.#child.stdin!.write('reset\n')
  }

  end(): Promise<void> {
    this.#ending = true
    return end(this.#child)
  }
}
