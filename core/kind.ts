/** What a name is on which senders stream to receivers. */
export type StreamKindName = 'pipe' | 'live' | 'queue' | 'ask' | 'duplex'

/** What a name is: who may take a place on it, and what ends it. */
export type KindName = StreamKindName | 'topic'
