/** Where the figures come from. */

import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { PROJECT } from './paths.js'
import type { Machine } from './result.js'

/** This machine, and the commit that is checked out. */
export function describeMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    commit: commit(),
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: PROJECT, encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
