import type { SettingKey } from './settings.js'

/** Where a value came from. `name` is the flag, the variable or the path of the file, as it was written. */
export interface Origin {
  readonly source: 'default' | 'file' | 'env' | 'flag'
  readonly name: string
}

/** Where each value of a `Config` came from. */
export type Origins = Readonly<Record<SettingKey, Origin>>
