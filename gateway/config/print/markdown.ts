import { flagOf, variableOf } from '../setting-names.js'
import { SETTING_KEYS, type SettingKey, settingInfo } from '../settings.js'

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function settingRow(key: SettingKey): string {
  const { expected, fallback, help } = settingInfo(key)
  const initial = fallback === undefined ? 'none' : `\`${fallback}\``
  const cells = [`\`${key}\``, `\`${flagOf(key)}\``, `\`${variableOf(key)}\``, expected, initial, help]
  return `| ${cells.map(cell).join(' | ')} |`
}

/** The table of docs/configuration.md, with one row for each setting, ending with a line feed. */
export function settingsMarkdown(): string {
  const head = ['| Key | Flag | Variable | Value | Default | Meaning |', '| --- | --- | --- | --- | --- | --- |']
  return `${[...head, ...SETTING_KEYS.map(settingRow)].join('\n')}\n`
}
