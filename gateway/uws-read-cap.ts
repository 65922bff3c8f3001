import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** uSockets reads again at once after a read of exactly this much, whatever waits besides. */
const FATAL_READ = 512 * 1024

/** Whether no read can fill the buffer, and if not, why. */
export type ReadCap = { readonly active: true } | { readonly active: false; readonly why: string }

interface NativeHelper {
  /** Returns how many places in the named loaded object now read at most `bytes` at once. */
  cap(object: string, bytes: number): number
}

/**
 * Caps every read of uWebSockets just below the size that makes uSockets read on without looking at anything else
 * (native/recv-cap.c has the story). Without it a fast sender on the same host keeps delivering after `pause()` and
 * starves every other connection. Must be called after uWebSockets has been loaded; a second call does no harm.
 */
export function capReads(): ReadCap {
  const { platform, arch, versions } = process
  if (platform !== 'linux') return { active: false, why: `there is none for ${platform}` }
  try {
    const helper = load(`recv-cap-${platform}-${arch}.node`)
    const changed = helper.cap(`uws_${platform}_${arch}_${versions.modules}.node`, FATAL_READ - 1)
    return changed > 0 ? { active: true } : { active: false, why: 'the loaded uWebSockets has another layout' }
  } catch (error) {
    return { active: false, why: error instanceof Error ? error.message.split('\n')[0]! : String(error) }
  }
}

function load(file: string): NativeHelper {
  const path = new URL(`../../gateway/native/prebuilt/${file}`, import.meta.url)
  return createRequire(import.meta.url)(fileURLToPath(path)) as NativeHelper
}
