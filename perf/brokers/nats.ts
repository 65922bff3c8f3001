import { nats as peer } from '../peers.js'
import type { StartsBroker } from './broker.js'

/** NATS core. It listens when it is ready. */
export const nats: StartsBroker = () => ({ peer, language: 'nats' })
