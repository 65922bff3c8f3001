/** Parameters that say who may take a place on a name, and what for; without one of them it is a pipe. An `answer` belongs to `serve`. */
export const KIND_NAMES = ['live', 'topic', 'queue', 'ask', 'serve', 'answer', 'duplex', 'ws'] as const
