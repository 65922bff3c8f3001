/** Pipegates before pipegates: edges in this process, which share the names out among relays. */

import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Test } from 'tap'
import type { FlagValues } from '../../../gateway/config/config.js'
import { enabledPlugins } from '../../../gateway/config/plugin-entries.js'
import { loadPlugins } from '../../../gateway/host/loading/loader.js'
import { BUNDLED, DEFAULTS } from '../../../plugins/bundled.js'
import { type Running, startGateway } from '../../support/gateway.js'

/** Looked at often, and soon believed: so that a test need not wait. A busy machine makes nobody look lost. */
export const HEALTH = { interval: 0.1, timeout: 10, rise: 1, fall: 2 }

export interface PluginToLoad {
  readonly plugin: string
  readonly config: object
}

/** These plugins, and the defaults. */
export function loadWithDefaults(plugins: readonly PluginToLoad[]) {
  const entries = plugins.map((each) => ({ ...each, enabled: true, where: each.plugin, from: '.' }))
  return loadPlugins(enabledPlugins(entries, DEFAULTS), BUNDLED)
}

/** @param route where its relays are, as in the configuration of the plugin */
export async function startEdge(
  t: Test,
  route: object,
  { flags = {}, plugins = [] }: { readonly flags?: FlagValues; readonly plugins?: readonly PluginToLoad[] } = {},
): Promise<Running> {
  const config = { routes: [{ balance: 'name', health: HEALTH, ...route }] }
  return startGateway(t, flags, { plugins: await loadWithDefaults([...plugins, { plugin: 'reverse-proxy', config }]) })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Whether all of it has come; a response that was cut has not. */
  readonly isWhole: boolean
}

/** One request to the end of its answer, over a connection of its own. Rejects when there is no answer at all. */
export function ask(url: string, method = 'GET', body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, { method, agent: false }, (response) => {
      const pieces: Buffer[] = []
      const done = () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(pieces),
          isWhole: response.complete,
        })
      response
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('end', done)
        .on('error', done)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
