/** What a name is while one sender streams there. */
export type StreamKindName = 'pipe' | 'live'

/** What a name is: who may take a place on it, and what ends it. */
export type KindName = StreamKindName | 'topic'
