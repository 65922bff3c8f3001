import { loadEngine } from './engine.js'
import { nativeHelper } from './helper.js'
import { NO_SOCKETS, type Sockets } from './sockets.js'

/**
 * The most that one read brings, in bytes. It must be less than 512 KiB, or uSockets goes on reading without looking at
 * anything else (native/reads.c explains why). Usually a read may cause many callbacks, one for each chunk in it, and a small
 * read is fairer to other connections.
 */
const USUAL_READ = 64 * 1024
/** The same for a body of which each read causes one callback. A larger read saves system calls. Seven slabs hold it. */
const BULK_READ = 448 * 1024

export interface SocketHelper {
  readonly sockets: Sockets
  /** Why the helper is not active; undefined when it is. */
  readonly inactive: string | undefined
}

interface NativeHelper extends Omit<Sockets, 'saveMemory' | 'speakTls'> {
  setBulkRead(bytes: number): void
  /** Caps reads and tunes accepted sockets for the loaded object of this name. False: its layout is not the expected one. */
  install(object: string, usualRead: number, bulkRead: number): boolean
}

/** Installs the native helper for the uWebSockets that is loaded. A second call does no harm. */
export function installSocketHelper(wanted: boolean): SocketHelper {
  const { platform } = process
  if (!wanted) return inactive('it is switched off')
  if (platform !== 'linux') return inactive(`there is none for ${platform}`)
  try {
    const helper = nativeHelper() as NativeHelper
    const installed = helper.install(loadEngine().object, USUAL_READ, BULK_READ)
    const saveMemory = (on: boolean) => helper.setBulkRead(on ? USUAL_READ : BULK_READ)
    return installed
      ? { sockets: { ...helper, saveMemory, speakTls: true }, inactive: undefined }
      : inactive('the loaded uWebSockets has another layout')
  } catch (error) {
    return inactive(error instanceof Error ? error.message.split('\n')[0]! : String(error))
  }
}

function inactive(why: string): SocketHelper {
  return { sockets: NO_SOCKETS, inactive: why }
}
