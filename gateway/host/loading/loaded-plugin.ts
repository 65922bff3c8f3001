import { type ConfigSchema, PLUGIN_API, type Plugin } from '../api/plugin.js'

/** A plugin whose code has been loaded, and what the configuration says for it. */
export interface LoadedPlugin {
  readonly plugin: Plugin
  /** Not checked yet. */
  readonly config?: unknown
  /** The place in the configuration that names it, for messages. */
  readonly where?: string
  /** The folder that paths in its configuration are relative to; the working directory without it. */
  readonly folder?: string
}

const NAME = /^[a-z][a-z0-9-]*$/

/**
 * Whether what was loaded is a plugin for this gateway.
 * @param threads how many gateways like this one there are in this process
 * @throws Error with one line
 */
export function checkPlugin({ plugin, where = 'the plugin' }: LoadedPlugin, threads: number): void {
  if (typeof plugin?.setup !== 'function' || typeof plugin.config?.safeParse !== 'function') {
    throw new Error(`${where}: found no plugin; its default export must be what definePlugin() returns`)
  }
  if (!NAME.test(plugin.name)) {
    throw new Error(
      `${where}: found the plugin name ${JSON.stringify(plugin.name)}, expected lower case letters, digits and "-"`,
    )
  }
  if (plugin.api !== PLUGIN_API) {
    throw new Error(
      `${where}: plugin ${plugin.name} was written for plugin API ${plugin.api}, and this gateway has ${PLUGIN_API}; ` +
        'update the one or the other',
    )
  }
  if (plugin.first !== undefined && typeof plugin.first !== 'boolean') {
    throw new Error(`${where}: first of plugin ${plugin.name} is true or false`)
  }
  if (plugin.scope !== undefined && plugin.scope !== 'thread' && plugin.scope !== 'process') {
    throw new Error(`${where}: scope of plugin ${plugin.name} is 'thread' or 'process'`)
  }
  if (threads > 1 && plugin.scope !== 'thread') {
    throw new Error(
      `${where}: plugin ${plugin.name} cannot have an instance in each of ${threads} threads; set threads to 1, or leave it out`,
    )
  }
  for (const list of [plugin.needs, plugin.after, plugin.reads]) {
    if (list === undefined || (Array.isArray(list) && list.every((each) => typeof each === 'string'))) continue
    throw new Error(`${where}: needs, after and reads of plugin ${plugin.name} are lists of names`)
  }
}

/** The plugin's configuration, checked by its schema. @throws Error with a line for each problem */
export function checkedConfig({ plugin, config, where = `plugin ${plugin.name}` }: LoadedPlugin): object {
  const result = (plugin.config as ConfigSchema<unknown>).safeParse(config ?? {})
  if (result.success) return result.data as object
  const lines = result.error.issues.map(({ path, message }) => {
    const key = path.map((each) => (typeof each === 'number' ? `[${each}]` : `.${String(each)}`)).join('')
    return `${where}: config${key}: ${message}`
  })
  throw new Error(lines.join('\n'))
}
