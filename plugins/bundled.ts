import type { Plugin } from '../gateway/plugin-api.js'

/** The plugins that come with the gateway, by name. None is loaded into memory before it is asked for. */
export const BUNDLED: Readonly<Record<string, () => Promise<{ readonly default: Plugin }>>> = {}
