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

/** Variables of the client's commands. `serve` must neither take them for settings nor print them. */
export const CLIENT_VARIABLES: readonly string[] = ['PIPEGATE_TOKEN', 'PIPEGATE_URL']

/** Where the configuration file is: a flag and a variable, but no key, since a file cannot say where it is. */
export const FILE_OPTION = {
  key: 'config',
  metavar: 'FILE',
  help: 'Configuration file, YAML or JSON; PIPEGATE_CONFIG names one too.',
} as const
