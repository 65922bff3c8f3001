/** What every command has besides its own flags, with their letters: they print something instead of running it. */
export const BUILT_IN = { help: 'h', version: 'V' } as const

export type BuiltIn = keyof typeof BUILT_IN
