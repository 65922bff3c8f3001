/** A careless plugin, and what shows that the gateway goes on. */

import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { definePlugin, type Host, type Parts, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { type Running, startGateway } from '../../support/gateway.js'

const FAILURES = { no: { status: 403, message: 'No.', hint: 'Ask for something else.' } } as const

export type Setup = (host: Host<object, 'no'>) => Parts

export function careless(setup: Setup, more: object = {}): LoadedPlugin {
  const config = z.strictObject({})
  return {
    plugin: definePlugin({ name: 'careless', api: PLUGIN_API, config, failures: FAILURES, setup, ...more }),
  }
}

export type Test = Parameters<typeof startGateway>[0]

export const start = (t: Test, setup: Setup, flags = {}) => startGateway(t, flags, { plugins: [careless(setup)] })

/** A transfer goes well: the gateway lives and holds nothing of what was before. */
export async function stillWorks(t: import('tap').Test, { url }: Running): Promise<void> {
  const receiver = curl([url('fine')])
  await curlDone(['-d', 'fine', url('fine')])
  t.equal((await receiver.result).stdout.toString(), 'fine')
}

export const status = (name: string) => ['-s', '-o', '/dev/null', '-w', '%{http_code} %header{x-pipe-code}', name]
