import { createHash } from 'node:crypto'
import type { Digest } from '../../core/index.js'

/** What `?sha256` asks for. */
export function newSha256(): Digest {
  const hash = createHash('sha256')
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest('hex'),
  }
}
