import { createHash } from 'node:crypto'
import type { Digest } from '../../core/index.js'

/** The digest for `?sha256`. */
export function newSha256(): Digest {
  const hash = createHash('sha256')
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest('hex'),
  }
}
