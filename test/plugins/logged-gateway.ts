/** A gateway with the default plugins whose access log is read. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { LoadedPlugin } from '../../gateway/host/loading/loaded-plugin.js'
import accessLog from '../../plugins/access-log/index.js'
import { defaultPlugins, type Running, startGateway } from '../support/gateway.js'

export interface LoggedGateway {
  readonly gateway: Running
  accessLines(): Record<string, unknown>[]
}

export async function startLogged(t: Test): Promise<LoggedGateway> {
  const file = join(t.testdir(), 'access.log')
  const logging = { plugin: accessLog as LoadedPlugin['plugin'], config: { output: { file } } }
  const gateway = await startGateway(t, {}, { plugins: [...(await defaultPlugins()), logging] })
  const accessLines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  return { gateway, accessLines }
}
