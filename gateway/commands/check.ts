import type { CommandResult } from '../../client/cli/command.js'
import { logTo } from '../log/log.js'
import { Gateway } from '../serve/gateway.js'
import type { CommandInput } from './command-input.js'
import { lacksProtection, refuseUnprotected } from './protection.js'

/** `pipegate check`: everything that `serve` does before it starts anything. */
export async function check({ config, loadPlugins }: CommandInput): Promise<CommandResult> {
  const gateway = new Gateway(config, logTo({ write() {} }, { ...config, logLevel: 'silent' }), await loadPlugins())
  if (lacksProtection(config, gateway.everybodyAuthenticates)) refuseUnprotected()
  const lines = gateway.plugins.map((line, i) => `${i + 1}. ${line}\n`)
  await gateway.stop(0)
  const list = lines.length === 0 ? 'No plugins.\n' : `Plugins, in their order:\n${lines.join('')}`
  return { text: `The configuration is good.\n${list}`, exitCode: 0 }
}
