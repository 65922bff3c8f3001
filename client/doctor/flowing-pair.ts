import { type Call, until } from './call.js'
import type { Chain } from './chain.js'

const FLOW_MS = 8000

export interface FlowingPair {
  readonly sender: Call
  readonly receiver: Call
}

/** Two sides between which the first bytes have flowed. @throws Error when they do not */
export async function flowingPair(chain: Chain, name: string, length: number | undefined): Promise<FlowingPair> {
  const receiver = chain.receive(name)
  const sender = chain.send(name, length)
  await sender.write('x'.repeat(1000))
  if (await until(() => receiver.bytes > 0 || receiver.end !== undefined, FLOW_MS)) return { sender, receiver }
  throw new Error(`no bytes flow: ${sender.status ?? 'no answer'} ${sender.lastLine}`)
}
