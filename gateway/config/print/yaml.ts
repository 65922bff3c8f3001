import { Document } from 'yaml'
import type { Origins } from '../origin.js'
import { printable } from '../problems/show.js'
import { type Config, SETTING_KEYS, type SettingKey, settingInfo } from '../settings.js'
import { sizeText } from '../sizes.js'

/** A value as it would be written in a file; null, which counts as unset, for a setting without a value. */
function written(config: Config, key: SettingKey): Config[SettingKey] | null {
  const value = config[key]
  if (value === undefined) return null
  if (key === 'prefix' && value === '') return 'off'
  return settingInfo(key).name === 'bytes' ? sizeText(value as number) : value
}

/**
 * The configuration as YAML: every key, its value and, in a comment, where the value came from. Read with
 * `--config` it yields the same configuration.
 */
export function renderConfig(config: Config, origins: Origins): string {
  const doc = new Document({})
  for (const key of SETTING_KEYS) {
    const { source, name } = origins[key]
    const node = doc.createNode(written(config, key), { flow: true })
    node.comment = source === 'default' ? ' default' : ` ${source} ${printable(name)}`
    doc.set(key, node)
  }
  // No folding: a path may be longer than any line width.
  return doc.toString({ lineWidth: 0 })
}
