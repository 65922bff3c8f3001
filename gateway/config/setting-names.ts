/** The flag of a key: `--log-level` for `logLevel`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Every variable's name begins with this. */
export const VARIABLE_PREFIX = 'PIPEGATE_'

/** The environment variable of a key: `PIPEGATE_LOG_LEVEL` for `logLevel`. */
export function variableOf(key: string): string {
  return VARIABLE_PREFIX + key.replace(/[A-Z]/g, '_$&').toUpperCase()
}

/** The token that `pipegate watch` presents. `serve` must neither take it for a setting nor print it. */
export const TOKEN_VARIABLE = 'PIPEGATE_TOKEN'

/** Where the configuration file is: a flag and a variable, but no key, since a file cannot say where it is. */
export const FILE_OPTION = {
  key: 'config',
  metavar: 'FILE',
  help: 'Configuration file, YAML or JSON; PIPEGATE_CONFIG names one too.',
} as const

/** Flags that print something instead of running a command. They take no value and have neither variable nor key. */
export const SWITCHES = {
  printConfig: 'Print the configuration in effect, and where each value came from, and exit.',
  help: 'Print this help and exit (also -h).',
  version: 'Print the version and exit.',
} as const

/** The name of a switch. */
export type SwitchName = keyof typeof SWITCHES
