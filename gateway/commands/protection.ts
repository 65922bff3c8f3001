import { isatty } from 'node:tty'
import { WrongUsage } from '../../client/cli/wrong-usage.js'
import type { Config } from '../config/config.js'
import { tokenPlugin } from '../config/plugin-entries.js'
import type { CommandInput } from './command-input.js'
import { askWhoMay } from './public-question.js'

/** Whether `public` was asked for, and nothing says who may. That every host is served says nothing. */
export function lacksProtection({ public: isPublic, open, hosts }: Config, everybodyAuthenticates: boolean): boolean {
  return isPublic && !open && (hosts.length === 0 || hosts.includes('*')) && !everybodyAuthenticates
}

/** @throws WrongUsage always: what is missing, and the flags that say it */
export function refuseUnprotected(): never {
  throw new WrongUsage(
    'with --public everybody who reaches this machine can send and receive. Say who may: --token-file FILE ("pipegate token" ' +
      'makes a token) or auth-bearer in the configuration file; --hosts NAME, a name of its own; or --open, everybody',
  )
}

/** What a person has chosen: another configuration, plugins with it, and the token that was made. */
export interface Protected extends Pick<CommandInput, 'config' | 'plugins' | 'loadPlugins'> {
  readonly token?: string
}

/**
 * Asks who may, where a person is at a terminal.
 * @throws WrongUsage when nobody is there, or gives no answer
 */
export async function protect(input: CommandInput): Promise<Protected> {
  const { config, plugins, loadPlugins, again, freshToken } = input
  if (!isatty(0) || !isatty(1)) return refuseUnprotected()
  const answer = await askWhoMay(process.stdin, process.stdout)
  if (answer === undefined) return refuseUnprotected()
  switch (answer.kind) {
    case 'open':
      return { config: { ...config, open: true }, plugins, loadPlugins }
    case 'hosts':
      return { config: { ...config, hosts: answer.hosts }, plugins, loadPlugins }
    case 'token': {
      const { token, config: tokens } = await freshToken()
      process.stdout.write(`\nThe token, which is shown now and kept nowhere: ${token}\n\n`)
      const entry = tokenPlugin(again.began.plugins, tokens, 'the token of this run')
      return { config, plugins: () => plugins([entry]), loadPlugins: () => loadPlugins([entry]), token }
    }
  }
}
