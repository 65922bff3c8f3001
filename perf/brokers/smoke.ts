/**
 * `node dist/perf/brokers/smoke.js [NAME ...]`: starts every message system that is there, passes messages of each kind
 * and size through it, and stops it. For those who changed something here; the lanes measure.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endAll } from '../children.js'
import type { MessageKind } from '../client/brokers/crew.js'
import { ClientProcess } from '../clients.js'
import { pipegate } from '../peers.js'
import { Relay } from '../relay.js'
import { quantile } from '../stats.js'
import type { Broker } from './broker.js'
import { BROKERS } from './index.js'
import { pipegateBrokers } from './pipegate.js'

const KINDS: readonly MessageKind[] = ['topic', 'queue', 'ask']

async function pass(broker: Broker, kind: MessageKind): Promise<string> {
  const { peer, language } = broker
  const relay = await Relay.start(peer)
  const client = new ClientProcess()
  try {
    await client.run('crewOpen', { language, target: relay.target, kind, senders: 4, receivers: 8 })
    const told: string[] = []
    for (const bytes of [64, 16_384]) {
      const { messages } = await client.run('crewFlood', { bytes, window: 1, seconds: 0.2 })
      const times = await client.run('crewPace', { bytes, perSecond: 100, seconds: 0.5 })
      told.push(`${bytes} bytes: ${messages} messages, then ${quantile(times, 0.5).toFixed(0)} µs`)
    }
    await client.run('crewOpen', { language, target: relay.target, kind, senders: 0, receivers: 20 })
    await client.run('crewClose', null)
    return told.join('; ')
  } finally {
    await Promise.all([client.end(), relay.stop()])
  }
}

const words = process.argv.slice(2).map((word) => word.toLowerCase())
const wanted = (name: string) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word))
const folder = mkdtempSync(join(tmpdir(), 'pipegate-brokers-'))
for (const kind of KINDS) {
  for (const broker of [
    ...pipegateBrokers(kind, pipegate()),
    ...BROKERS.map((start) => start(kind, join(folder, kind))),
  ]) {
    if (typeof broker === 'string') {
      console.log(`${kind}: ${broker}`)
      continue
    }
    const { name } = broker.peer
    if (!wanted(name)) continue
    const said = broker.peer.missing() ?? (await pass(broker, kind).catch((error: Error) => error))
    if (said instanceof Error) process.exitCode = 1
    console.log(`${kind}, ${name}: ${said instanceof Error ? `FAILED: ${said.message}` : said}`)
  }
}
await endAll()
rmSync(folder, { recursive: true, force: true })
