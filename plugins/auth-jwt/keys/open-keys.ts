import type { Host } from '../../../gateway/host/plugin-api.js'
import type { Config } from '../config.js'
import { ASYMMETRIC, chooseAlgorithms } from './algorithms.js'
import { fetchKeySet } from './fetch-key-set.js'
import type { Keys } from './keys.js'
import { RemoteKeys } from './remote-keys.js'
import { SharedKeys } from './shared-keys.js'
import { publicKeys, secretKeys } from './static-keys.js'

/**
 * The keys that the configuration names. Files and the environment are read now, the network is not used before `start`.
 *
 * @throws Error with one line
 */
export function openKeys(
  config: Config,
  host: Pick<Host, 'log' | 'now' | 'resolve' | 'thread' | 'sharedMemory'>,
): Keys {
  const { secret, secretEnv, publicKeyFile, jwksUrl } = config
  if (secret !== undefined) return secretKeys(secret, 'secret', config)
  if (secretEnv !== undefined) {
    const value = process.env[secretEnv]
    if (value) return secretKeys(value, `secretEnv (${secretEnv})`, config)
    throw new Error(`secretEnv: the environment variable ${secretEnv} is ${value === undefined ? 'not set' : 'empty'}`)
  }
  if (publicKeyFile !== undefined) return publicKeys(host.resolve(publicKeyFile), config)
  const url = new URL(jwksUrl!)
  const { number, count } = host.thread
  const shared = count > 1 ? new SharedKeys(host.sharedMemory('keys', SharedKeys.bytes), number) : undefined
  // The clock of each thread begins with it.
  const origin = performance.timeOrigin + performance.now() - host.now()
  return new RemoteKeys({
    algorithms: chooseAlgorithms(config.algorithms, ASYMMETRIC, 'a set of public keys'),
    timeoutMs: config.jwksTimeout * 1000,
    cooldownMs: config.jwksCooldown * 1000,
    maxAgeMs: config.jwksMaxAge * 1000,
    keepMs: config.jwksKeep * 1000,
    now: () => origin + host.now(),
    shared,
    log: host.log,
    fetch: (signal) => fetchKeySet(url, signal),
  })
}
