/** What a gateway still has when nobody is there any more. */

import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.js'
import type { GatewayProcess } from './gateway-process.js'

/** A sender that died while it waited is found after 15 s. */
const SETTLE_MS = 60_000
/** What a process may have grown by, for caches, receipts (10 000 of half a kilobyte) and a fragmented heap. */
const MOST_GROWTH = 150e6

export interface Baseline {
  readonly descriptors: number
  readonly residentBytes: number
}

/** What it has when it has served everything once. Health checks of upstreams come and go, so it is looked at for a while. */
export async function baselineOf(gateway: GatewayProcess): Promise<Baseline> {
  await sleep(2000)
  let descriptors = 0
  for (let i = 0; i < 40; i++, await sleep(25)) descriptors = Math.max(descriptors, gateway.descriptors)
  return { descriptors, residentBytes: gateway.residentBytes }
}

/** What is left of the load, as a sentence; true when nothing is. */
export async function leftovers(gateway: GatewayProcess, { descriptors }: Baseline): Promise<true | string> {
  const metrics = await gateway.metrics()
  const health = JSON.parse((await gateway.get('health')) ?? '{}')
  const found = {
    waiting: metrics.value('pipegate_pipes', { state: 'waiting' }) + Number(health.waiting ?? 1),
    streaming: metrics.value('pipegate_pipes', { state: 'streaming' }) + Number(health.streaming ?? 1),
    receivers: metrics.value('pipegate_receivers'),
    watchers: metrics.value('pipegate_watchers'),
    heldBytes: metrics.value('pipegate_held_bytes'),
    // One asks for the metrics.
    openRequests: metrics.value('pipegate_open_requests') - 1,
    descriptors: Math.max(0, gateway.descriptors - descriptors),
  }
  const left = Object.entries(found).filter(([, count]) => count > 0)
  return left.length === 0 || left.map(([what, count]) => `${what} ${count}`).join(', ')
}

/** Waits until nothing is left. Resolves with every leak, as a sentence. */
export async function leaksOf(gateway: GatewayProcess, baseline: Baseline, settleMs = SETTLE_MS): Promise<string[]> {
  const leaks: string[] = []
  const { name } = gateway.options
  try {
    await eventually(() => leftovers(gateway, baseline), { timeoutMs: settleMs, everyMs: 250 })
  } catch (error) {
    leaks.push(`${name}: ${error instanceof Error ? error.message : error}`)
  }
  const grown = gateway.residentBytes - baseline.residentBytes
  if (grown > MOST_GROWTH) leaks.push(`${name}: resident memory has grown by ${Math.round(grown / 1e6)} MB`)
  return leaks
}
