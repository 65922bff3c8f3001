import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PluginEntry } from '../../config/plugin-entries.js'
import { nearest } from '../../config/problems/did-you-mean.js'
import { printable, show } from '../../config/problems/show.js'
import type { Plugin } from '../api/plugin.js'
import type { LoadedPlugin } from './loaded-plugin.js'
import { resolvePluginApi } from './plugin-api-resolution.js'

/** Plugins that come with the gateway: their names, and what loads them. */
export type BundledPlugins = Readonly<Record<string, () => Promise<{ readonly default: Plugin }>>>

/**
 * Finds the plugins, and loads their code.
 * @throws Error with a line for each that is not there, does not load or is no plugin
 */
export async function loadPlugins(entries: readonly PluginEntry[], bundled: BundledPlugins): Promise<LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = []
  const problems: string[] = []
  for (const entry of entries) {
    try {
      const { config, where, from } = entry
      loaded.push({ plugin: await load(entry, bundled), config, where, folder: dirname(from) })
    } catch (error) {
      problems.push(`${entry.where}: ${error instanceof Error ? error.message : error}`)
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return loaded
}

async function load({ plugin: name, from }: PluginEntry, bundled: BundledPlugins): Promise<Plugin> {
  const own = Object.hasOwn(bundled, name) ? bundled[name] : undefined
  if (own !== undefined) return (await own()).default
  return isFile(name) ? loadFile(resolve(dirname(from), name)) : loadPackage(name, from, Object.keys(bundled))
}

function isFile(name: string): boolean {
  return /^\.{0,2}\//.test(name)
}

async function loadFile(path: string): Promise<Plugin> {
  if (!existsSync(path)) throw new Error(`found no file ${printable(path)}`)
  if (/\.[cm]?ts$/.test(path))
    throw new Error(`found TypeScript in ${printable(path)}, expected what it is compiled to (.js or .mjs)`)
  return pluginIn(await imported(pathToFileURL(path).href, path), path)
}

async function loadPackage(name: string, from: string, known: readonly string[]): Promise<Plugin> {
  let path: string
  try {
    path = createRequire(resolve(from)).resolve(name)
  } catch {
    const near = nearest(name, known)
    const hint = near === undefined ? `bundled are ${known.join(', ') || 'none'}` : `did you mean ${near}?`
    throw new Error(`found no plugin ${show(name)}: no bundled one and no installed package has that name; ${hint}`)
  }
  return pluginIn(await imported(pathToFileURL(path).href, name), name)
}

async function imported(url: string, what: string): Promise<unknown> {
  resolvePluginApi()
  try {
    return await import(url)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0]! : String(error)
    // A .js file whose package.json does not say "type": "module", as `npm init` makes it.
    const isModule = /\.js$/.test(what) && /import statement|token 'export'|ES Module/.test(why)
    const hint = isModule ? '; name it .mjs, or put "type": "module" into the package.json beside it' : ''
    throw new Error(`${show(what)} does not load: ${why}${hint}`)
  }
}

/** The default export. In a CommonJS package it is one level deeper. */
function pluginIn(module: unknown, what: string): Plugin {
  const { default: first } = module as { default?: { default?: unknown } }
  const found = [first, first?.default].find((each) => typeof (each as Plugin | undefined)?.setup === 'function')
  if (found === undefined)
    throw new Error(`${show(what)} has no plugin as its default export: export default definePlugin({ … })`)
  return found as Plugin
}
