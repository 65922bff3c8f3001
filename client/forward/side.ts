import type { Line } from './link/line.js'
import type { Message } from './link/message.js'
import type { Role } from './role.js'

/** What a forward does by its flag. */
export interface Side {
  readonly role: Role
  /** @throws Error for people */
  start(): Promise<void>
  /** The other side is there, or not any more. */
  line(line: Line | undefined): void
  heard(message: Message): void
  /** Nothing more begins. */
  stop(): void
}
