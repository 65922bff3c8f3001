/** What a name is: who may take a place on it, and what ends it. */
export type KindName = 'pipe' | 'live' | 'queue' | 'ask'
