import { type Flag, type Flags, on, single, toggle } from '../../client/cli/flags.js'
import type { FlagValues } from '../config/config.js'
import { FILE_OPTION } from '../config/setting-names.js'
import { SETTING_KEYS, type SettingKey, settingInfo } from '../config/settings.js'
import { GROUP_OF } from './setting-groups.js'

/**
 * The flags of `serve`, `check` and `health`: one for each setting, the file, and `--print-config`. Values stay text: `loadConfig`
 * checks them together with those from other sources.
 */
export const SETTINGS_FLAGS: Flags = {
  config: single({ metavar: FILE_OPTION.metavar, expected: '', read: String, completes: 'file' }, FILE_OPTION.help, {
    short: 'c',
  }),
  printConfig: on('Print the configuration in effect, and where each value came from, and exit.'),
  ...Object.fromEntries(SETTING_KEYS.map((key) => [key, flagFor(key)])),
}

function flagFor(key: SettingKey): Flag {
  const { name, metavar, fallback, help, choices } = settingInfo(key)
  const completes = name === 'path' ? ({ completes: 'file' } as const) : {}
  const type = { metavar, expected: '', read: String, ...completes, ...(choices === undefined ? {} : { choices }) }
  const more = {
    group: GROUP_OF[key],
    ...(fallback === undefined ? {} : { otherwise: fallback }),
  }
  return name === 'boolean' ? toggle(type, help, more) : single(type, help, more)
}

/** The flags of settings that were given. */
export function flagValues(values: Readonly<Record<string, unknown>>): FlagValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'string'))
}
