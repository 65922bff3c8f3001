/** Responses of uWebSockets.js that a test holds in its own hands. */

import { connect, type RawClient } from '../../support/raw.js'
import { Desk, type Seen, type Served, serve, type Tidy } from '../app.js'

interface Held {
  readonly served: Served
  readonly desk: Desk
}

/** Every request waits at the desk, its body read by `each` or by nobody. */
export async function hold(t: Tidy, each: (seen: Seen) => void = () => {}): Promise<Held> {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any('/*', desk.handler(each))
  })
  return { served, desk }
}

/** A client that sent a request and does not read. */
export async function stalled(t: Tidy, served: Served, request: string, keep = false): Promise<RawClient> {
  const client = await connect({ port: served.port, pauseOnConnect: true, keep })
  t.teardown(() => client.destroy())
  await client.send(request)
  return client
}
