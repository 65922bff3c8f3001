import { logTo } from '../../log/log.js'
import { Gateway } from '../gateway.js'
import { type CommandInput, print } from './command.js'
import { lacksProtection, refuseUnprotected } from './protection.js'

/** `pipegate check`: everything that `serve` does before it starts anything. */
export async function check({ config, loadPlugins }: CommandInput): Promise<number> {
  const gateway = new Gateway(config, logTo({ write() {} }, { ...config, logLevel: 'silent' }), await loadPlugins())
  if (lacksProtection(config, gateway.everybodyAuthenticates)) refuseUnprotected()
  const lines = gateway.plugins.map((line, i) => `${i + 1}. ${line}\n`)
  await gateway.stop(0)
  return print(
    `The configuration is good.\n${lines.length === 0 ? 'No plugins.\n' : `Plugins, in their order:\n${lines.join('')}`}`,
  )
}
