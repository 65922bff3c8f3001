/** One entry of an error catalogue: made once, and shared by every request that meets it. */
export interface Failure {
  /** Stable and unique, `UPPER_SNAKE`. */
  readonly code: string
  /** The HTTP status that says the same. */
  readonly status: number
  /** What was found, in the reader's terms. `{word}` stands for a value of the refusal. */
  readonly message: string
  /** What the reader can do about it. */
  readonly hint: string
}

export type FailureValues = Readonly<Record<string, string | number>>

/** A failure that happened, with what was found. */
export class Refusal {
  constructor(
    readonly failure: Failure,
    readonly values: FailureValues = {},
  ) {}

  /** Message and hint with the values filled in. */
  get text(): string {
    const filled = `${this.failure.message} ${this.failure.hint}`
    return filled.replace(/\{(\w+)\}/g, (hole, word: string) => String(this.values[word] ?? hole))
  }
}

/** Why the core refuses a side. A refused side never was part of the pipe, and the pipe does not notice it. */
export const CORE_FAILURES = {
  nMismatch: {
    code: 'N_MISMATCH',
    status: 400,
    message: 'This request says n={found}, but the pipe on this name waits for {expected} receiver(s).',
    hint: 'Use ?n={expected} on every side, or another name.',
  },
  senderExists: {
    code: 'SENDER_EXISTS',
    status: 400,
    message: 'A sender already waits on this name.',
    hint: 'A name takes one sender at a time: use another name.',
  },
  receiversFull: {
    code: 'RECEIVERS_FULL',
    status: 400,
    message: 'All {expected} receiver(s) of this name are already here.',
    hint: 'Raise n on every side to let more receive, or use another name.',
  },
  nobodyWaiting: {
    code: 'NOBODY_WAITING',
    status: 503,
    message: 'Nobody is waiting for this name.',
    hint: 'Come again later, or leave out ?now to wait for somebody.',
  },
  rangeBeyondEnd: {
    code: 'RANGE_BEYOND_END',
    status: 416,
    message: 'The range begins at byte {found}, and the stream has {expected} bytes.',
    hint: 'If you have that many, you have all of it; otherwise ask without a Range.',
  },
  pipeBusy: {
    code: 'PIPE_BUSY',
    status: 400,
    message: 'A transfer is already running on this name.',
    hint: 'Wait until it has ended, or use another name.',
  },
  kindClash: {
    code: 'KIND_CLASH',
    status: 409,
    message: 'This name is {found} now, and this request asks for {wanted}.',
    hint: 'Use another name, or come back when this one is free.',
  },
  liveSenderExists: {
    code: 'LIVE_SENDER_EXISTS',
    status: 409,
    message: 'This live stream already has its sender.',
    hint: 'Use another name, or wait until that stream has ended.',
  },
  viewersFull: {
    code: 'VIEWERS_FULL',
    status: 429,
    message: 'All {expected} places for viewers of this stream are taken.',
    hint: 'Try again when somebody has left.',
  },
  allViewersFull: {
    code: 'ALL_VIEWERS_FULL',
    status: 429,
    message: 'All {expected} places for viewers of this server are taken.',
    hint: 'Try again when somebody has left.',
  },
  tooManyLive: {
    code: 'TOO_MANY_LIVE',
    status: 429,
    message: 'All {expected} places for live streams are taken.',
    hint: 'Try again when one of them has ended.',
  },
  queueFull: {
    code: 'QUEUE_FULL',
    status: 429,
    message: 'All {expected} places for {side} that wait on this queue are taken.',
    hint: 'Try again when the other side has taken some of them.',
  },
  peersFull: {
    code: 'PEERS_FULL',
    status: 409,
    message: 'Both peers of this name are already here.',
    hint: 'A duplex pipe joins two: use another name.',
  },
  partTaken: {
    code: 'PART_TAKEN',
    status: 409,
    message: 'Peer {found} of this name already has its {part}.',
    hint: 'Each peer sends once and receives once at a time: use the other letter, or another name.',
  },
  answerGone: {
    code: 'ANSWER_GONE',
    status: 410,
    message: 'Nobody waits for this answer: it has been given, comes too late, or who asked has left.',
    hint: 'Take the next question.',
  },
  tooManyWaiting: {
    code: 'TOO_MANY_WAITING',
    status: 429,
    message: 'All {expected} places for waiting pipes are taken.',
    hint: 'Try again in a few seconds.',
  },
  noMemory: {
    code: 'NO_MEMORY',
    status: 503,
    message: 'The memory for what waiting senders have sent is used up.',
    hint: 'Try again in a few seconds, or start the receivers first.',
  },
  shuttingDown: {
    code: 'SHUTTING_DOWN',
    status: 503,
    message: 'Server shutting down.',
    hint: 'Try again in a few seconds.',
  },
} as const satisfies Record<string, Failure>
