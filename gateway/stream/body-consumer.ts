import type { SenderEndpoint } from '../../core/index.js'

/** Who is given the body of a request: the sender's endpoint, the reader of a form, or a plugin. */
export type BodyConsumer = Pick<SenderEndpoint, 'feed' | 'end' | 'broken' | 'left' | 'fault'>
