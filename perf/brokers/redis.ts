import { redis as peer } from '../peers.js'
import type { StartsBroker } from './broker.js'

/** Redis without persistence. It listens when it is ready. */
export const redis: StartsBroker = (kind) => ({
  peer: { ...peer, name: kind === 'topic' ? 'Redis pub/sub' : 'Redis lists' },
  language: 'redis',
})
