import { nativeHelper } from './helper.js'

/** What several gateways in threads of one process need below uWebSockets. Linux only. */
export interface ThreadHelper {
  /** Says how names are found in targets, and over how many threads they are spread: once, before one of them joins. */
  spreadNames(prefix: string, threads: number): void
  /** The number of the thread that has the name in this target, whose characters are octets. */
  ownerOf(target: string): number
  /** Calls `run` when there are connections for this thread to take, once it has joined. */
  onConnections(run: () => void): void
  /** This thread is the one of that number, until it ends. Needs `onConnections` first. */
  joinThreads(number: number): void
  /** Takes a connection that is for this thread; -1: there is none. It is to be adopted at once. */
  takeConnection(): number
  /**
   * Opens one port for all threads, for this process alone, and returns its number; or the negative number of a system's error. A thread
   * of its own accepts.
   */
  openDoor(host: string, port: number): number
  /** No more connections. */
  closeDoor(): void
  /** Connections that this thread has given to others. */
  handedOver(): number
}

/** @throws Error where there is no helper */
export function threadHelper(): ThreadHelper {
  return nativeHelper() as ThreadHelper
}
