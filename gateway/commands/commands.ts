import type { Command } from '../../client/cli/command.js'
import type { Plugins } from './configured.js'

type Values = Readonly<Record<string, unknown>>

/**
 * The commands that take the gateway's configuration. The engine is loaded with those that need it: the others work where it does not.
 * @param plugins those that come with the program
 */
export function gatewayCommands(
  plugins: () => Promise<Plugins>,
): Readonly<Record<'serve' | 'check' | 'health', Command>> {
  const configured = async () => {
    const { configured } = await import('./configured.js')
    const bundled = await plugins()
    return (run: Parameters<typeof configured>[0]) => ({ run: (values: Values) => configured(run, values, bundled) })
  }
  return {
    serve: {
      describe: async () => ({ description: (await import('./descriptions.js')).SERVE }),
      load: async () => {
        // Before anything of the gateway is compiled.
        await import('../serve/v8-flags.js')
        return (await configured())((await import('./serve.js')).serve)
      },
    },
    check: {
      describe: async () => ({ description: (await import('./descriptions.js')).CHECK }),
      load: async () => (await configured())((await import('./check.js')).check),
    },
    health: {
      describe: async () => ({ description: (await import('./descriptions.js')).HEALTH }),
      load: async () => (await configured())((await import('./health.js')).health),
    },
  }
}
