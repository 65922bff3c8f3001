/** Plugins for tests, made of parts. */

import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { definePlugin, type Hooks, type Parts, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'
import { curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'

const FAILURES = {
  no: { status: 403, message: 'No to {who}.', hint: 'Ask for something else.' },
} as const

/** A plugin of parts, without a configuration. */
export function plugin(name: string, setup: Parameters<typeof define>[1], more: object = {}): LoadedPlugin {
  return { plugin: define(name, setup, more) }
}

function define(
  name: string,
  setup: (host: import('../../../gateway/host/plugin-api.js').Host<object, 'no'>) => Parts,
  more = {},
) {
  return definePlugin({ name, api: PLUGIN_API, config: z.strictObject({}), failures: FAILURES, setup, ...more })
}

export const hooks = (name: string, all: Hooks, more: object = {}) => plugin(name, () => ({ hooks: all }), more)

/** What stops the start. */
export async function refusal(t: Test, plugins: readonly LoadedPlugin[]): Promise<string> {
  try {
    await startGateway(t, {}, { plugins })
  } catch (error) {
    return (error as Error).message
  }
  return 'it started'
}

export type Test = Parameters<typeof startGateway>[0]

export const statusOf = async (...args: string[]) =>
  (await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args])).stdout.toString()
