import { constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'

/** So many bytes reach a pipe in one piece or not at all (POSIX, PIPE_BUF): lines of two writers are not torn apart. */
const PIPE_BUF = 4096
const FILE_PIECE = 64 * 1024

/** A descriptor that lines are written to. */
export interface LineTarget {
  readonly fd: number
  /**
   * How it is written without holding the event loop.
   *
   * False for pipes, sockets, terminals and devices, which are in non-blocking mode: `writeSync` takes what fits and says
   * `EAGAIN` for the rest. A thread is of no use there. It is stuck in `write()` for as long as nobody reads, and `exit()` waits
   * for the threads of Node's pool: the process never ends.
   *
   * True for files, which know no non-blocking mode: a disk that is stuck holds whoever writes, so that a thread has to.
   */
  readonly mayBlock: boolean
  /** The most bytes of one write. */
  readonly piece: number
  /** It was opened for this and is closed with it. */
  readonly isOwn: boolean
}

/** Standard output, or another descriptor that this process was given. */
export function givenTarget(fd = 1): LineTarget {
  if (fstatSync(fd).isFile()) return { fd, mayBlock: true, piece: FILE_PIECE, isOwn: false }
  const own = openedAnew(fd)
  if (own !== undefined) return { fd: own, mayBlock: false, piece: PIPE_BUF, isOwn: true }
  // A socket cannot be opened anew, nor can what belongs to another user. Node switches a pipe or a socket to non-blocking mode
  // when it makes its stream, also for those who share it.
  if (fd === 1) void process.stdout
  return { fd, mayBlock: !isNonBlocking(fd), piece: PIPE_BUF, isOwn: false }
}

/**
 * A file that is appended to and made if it is not there, or a named pipe that somebody reads. Only owner and group may read a
 * new one: names and addresses are for the operator.
 * @throws the system's error
 */
export function fileTarget(path: string): LineTarget {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o640)
  const mayBlock = fstatSync(fd).isFile()
  return { fd, mayBlock, piece: mayBlock ? FILE_PIECE : PIPE_BUF, isOwn: true }
}

/**
 * The same pipe, terminal or device by a description of our own: the mode is the description's, and the one that we were given
 * may be shared with a shell and with other programs, which do not expect `EAGAIN`. A file must not be opened so: its position
 * is the description's as well. Undefined where that cannot be had.
 */
function openedAnew(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}

function isNonBlocking(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!
    return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) !== 0
  } catch {
    // No /proc, as on macOS.
    const kind: Stats = fstatSync(fd)
    return kind.isFIFO() || kind.isSocket()
  }
}
