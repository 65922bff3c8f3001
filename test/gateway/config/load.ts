/** Loads configurations from given sources, and catches their refusals. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Config, ConfigError, type FlagValues, loadConfig, type Sources } from '../../../gateway/config/config.js'

export type Env = Sources['env']

/** A configuration whose file, if any, is called pipegate.yaml and holds `file`. */
export function load(flags: FlagValues = {}, env: Env = {}, file?: string): Config {
  return loadConfig(sources(flags, env, file))
}

export function sources(flags: FlagValues, env: Env, file: string | undefined): Sources {
  if (file === undefined) return { flags, env }
  return { flags: { config: 'pipegate.yaml', ...flags }, env, readFile: () => file }
}

/** The error that a refused configuration ends in. */
export function refusal(flags: FlagValues = {}, env: Env = {}, file?: string): ConfigError {
  return refusalOf(sources(flags, env, file))
}

export function refusalOf(given: Sources): ConfigError {
  try {
    loadConfig(given)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

/** Long enough, and with enough spaces, for a YAML printer to fold it. */
export const LONG_NAME = `${'a long name '.repeat(15)}.pem`

/** Files beside each other. The path is short, so that problems show all of it wherever the project is. */
export const tls = mkdtempSync(join(tmpdir(), 'pem-'))
t.teardown(() => rmSync(tls, { recursive: true }))
const FILES = { [LONG_NAME]: 'L', 'a.pem': 'A', 'b.pem': 'B', 'c.pem': 'C', 'secret.pem': 'SECRET-CONTENT' }
for (const [name, content] of Object.entries(FILES)) writeFileSync(join(tls, name), content)
mkdirSync(join(tls, 'folder'))
export const pem = (name: string) => join(tls, name)
