import type { Body, Join, Reply } from '../../../gateway/host/plugin-api.js'

/** The client that asks, and waits for the answer. */
export interface Client {
  readonly body: Body
  readonly reply: Reply
  readonly join: Join
}
