import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { reset } from '../../client/forward/reset.js'
import { listenOnLoopback } from '../support/loopback.js'
import type { Teardown } from '../support/teardown.js'

/** A TCP relay in front of a gateway on 127.0.0.1, which can cut what goes through it, and lead to another gateway. */
export class Relay {
  /** All that clients have sent. */
  sent = ''
  #isUp = true
  readonly #server: Server
  readonly #open = new Set<Socket>()

  private constructor(public target: number) {
    this.#server = createServer((client) => this.#carry(client))
  }

  /** @param target port of the gateway */
  static async start(t: Teardown, target: number): Promise<Relay> {
    const relay = new Relay(target)
    await listenOnLoopback(relay.#server)
    t.teardown(() => {
      relay.down()
      relay.#server.close()
    })
    return relay
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resets every connection that there is, and those that come, until it is up again. */
  down(): void {
    this.#isUp = false
    for (const socket of this.#open) reset(socket)
  }

  up(): void {
    this.#isUp = true
  }

  #carry(client: Socket): void {
    if (!this.#isUp) {
      reset(client)
      return
    }
    const gateway = connect(this.target, '127.0.0.1')
    client.on('data', (bytes) => {
      this.sent += bytes.toString('latin1')
    })
    for (const socket of [client, gateway]) {
      this.#open.add(socket)
      socket
        .on('error', () => {})
        .once('close', () => {
          this.#open.delete(socket)
          client.destroy()
          gateway.destroy()
        })
    }
    client.pipe(gateway).pipe(client)
  }
}
