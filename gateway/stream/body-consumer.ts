import type { SenderEndpoint } from '../../core/index.js'

/** Receives the body of a request: the sender's endpoint, the reader of a form, or a plugin's body. */
export type BodyConsumer = Pick<SenderEndpoint, 'feed' | 'end' | 'broken' | 'left' | 'fault'>
