/** A shell command, and what it has used when it is over. */

import { spawn } from 'node:child_process'
import { adopt } from '../children.js'

export interface Used {
  readonly seconds: number
  /** Processor seconds of the command and all that it started. */
  readonly cpu: number
  /** The largest resident memory of one of its processes, in bytes. */
  readonly memory: number
  readonly output: string
}

/** @throws Error when it ends with another code than 0 */
export function measured(command: string): Promise<Used> {
  const beganAt = performance.now()
  // GNU time: Node tells nothing about the children of a child.
  const child = adopt(spawn('time', ['-f', '\n%U %S %M', 'sh', '-c', command], { stdio: ['ignore', 'pipe', 'pipe'] }))
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-20_000)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-20_000)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      if (code !== 0) return reject(new Error(`${command}: exit code ${code}: ${output}${errors}`))
      const [user = 0, system = 0, kib = 0] = errors.trim().split('\n').at(-1)!.split(' ').map(Number)
      const seconds = (performance.now() - beganAt) / 1000
      resolve({ seconds, cpu: user + system, memory: kib * 1024, output: output + errors })
    })
  })
}
