/** A live stream by curl, as plugins see it. */
import { type CurlRun, curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import type { Running } from '../../support/gateway.js'

export interface Broadcast {
  readonly sender: CurlRun
  /** Opens a viewer, and waits until it is there. */
  view(target: string, ...args: string[]): Promise<CurlRun>
  /** Sends a piece, and waits until it has been read. */
  send(text: string): Promise<void>
}

/** @param key the name within its project */
export async function broadcast(gateway: Running, key: string, target: string, ...args: string[]): Promise<Broadcast> {
  const { table } = gateway.gateway
  const sender = curl(['-N', '-T', '-', ...args, gateway.url(target)])
  await eventually(() => table.get(key)?.state === 'streaming' || `${sender.stdoutText}${sender.stderrText}`)
  let sent = 0
  return {
    sender,
    async view(viewed, ...more) {
      const before = table.get(key)?.live?.viewers ?? 0
      const viewer = curl(['-N', ...more, gateway.url(viewed)])
      await eventually(() => table.get(key)?.live?.viewers === before + 1 || `${viewer.stdoutText}${viewer.stderrText}`)
      return viewer
    },
    async send(text) {
      sender.stdin.write(text)
      sent += text.length
      await eventually(() => table.get(key)?.bytesIn === sent || `${table.get(key)?.bytesIn} of ${sent}`)
    },
  }
}
