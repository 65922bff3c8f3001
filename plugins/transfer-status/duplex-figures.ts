import { counted } from './counted.js'
import { formatBytes } from './format.js'
import type { DuplexFigures, MaybeDuplex } from './snapshot.js'

interface Counts {
  readonly peers: number
  readonly webSockets: number
  readonly said: readonly [number, number]
  readonly protocol: string | undefined
}

/** `ws` for a name whose peers are WebSockets alone, as another system calls it. */
export function duplexKind({ peers, webSockets }: Counts): 'duplex' | 'ws' {
  return peers > 0 && webSockets === peers ? 'ws' : 'duplex'
}

/** What is told of a duplex pipe besides, taken from what counts it; nothing of what is none. */
export function duplexFiguresOf(counts: Counts | undefined): DuplexFigures | Record<never, never> {
  if (counts === undefined) return {}
  const { peers, webSockets, said, protocol = null } = counts
  return { duplex: true, peers, webSockets, saidBytes: said, protocol }
}

/** `2 peers, both WebSockets: 1.2 kB from the first, 3.4 MB from the other`; undefined for what is no duplex pipe. */
export function duplexInWords(told: MaybeDuplex): string | undefined {
  if (told.duplex !== true) return undefined
  const { peers = 0, saidBytes: [first, other] = [0, 0] } = told
  const webSockets = webSocketsInWords(told)
  const who = `${counted(peers, 'peer')}${webSockets === '' ? '' : `, ${webSockets}`}`
  if (peers < 2 && first + other === 0) return `${who}: waiting for the other`
  return `${who}: ${formatBytes(first)} from the first, ${formatBytes(other)} from the other`
}

/** `both WebSockets`, `one a WebSocket`, `a WebSocket`; empty when none is. */
export function webSocketsInWords({ peers = 0, webSockets = 0 }: MaybeDuplex): string {
  if (webSockets === 0) return ''
  if (webSockets === peers) return peers === 1 ? 'a WebSocket' : 'both WebSockets'
  return 'one a WebSocket'
}
