import { closeSync, lstatSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Folding } from './entry-guard.js'

/** Upper and lower case, and an `é` that can also be written as two characters. */
const NAME = '.pipegate-probe-\u00e9'

/** What this disk does not tell apart, tried out with a file in a folder of ours. */
export function foldingOf(folder: string): Folding {
  const probe = join(folder, NAME)
  closeSync(openSync(probe, 'w'))
  try {
    return {
      case: isThere(join(folder, '.PIPEGATE-PROBE-\u00e9')),
      unicode: isThere(join(folder, NAME.normalize('NFD'))),
    }
  } finally {
    unlinkSync(probe)
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
