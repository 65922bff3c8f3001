/** A value of every setting for every source. */

import type { Config, SettingKey } from '../../../gateway/config/config.js'
import { type Env, pem } from './load.js'

/** For each setting its default, and what to write in the file, a variable and a flag, each with what it means. */
export type Ranks<T> = readonly [fallback: T, file: [string, T], env: [string, T], flag: [string, T]]

export const RANKS: { readonly [K in SettingKey]-?: Ranks<Config[K]> } = {
  port: [8080, ['1', 1], ['2', 2], ['0', 0]],
  host: ['127.0.0.1', ['"::1"', '::1'], ['localhost', 'localhost'], ['0.0.0.0', '0.0.0.0']],
  hosts: [
    [],
    ['[Pipe.example, "*"]', ['pipe.example', '*']],
    ['pipe.example, *.Example.net', ['pipe.example', '*.example.net']],
    ['::1,[fd00::1],192.0.2.1', ['::1', '[fd00::1]', '192.0.2.1']],
  ],
  public: [false, ['yes', true], ['ON', true], ['false', false]],
  open: [false, ['yes', true], ['ON', true], ['false', false]],
  tokenFile: [undefined, [pem('a.pem'), pem('a.pem')], [pem('b.pem'), pem('b.pem')], [pem('c.pem'), pem('c.pem')]],
  qr: [false, ['yes', true], ['ON', true], ['false', false]],
  prefix: ['/api/v1/pipe', ['/a', '/a'], ['/b/', '/b'], ['off', '']],
  bareNames: [true, ['no', false], ['ON', true], ['false', false]],
  logLevel: ['info', ['trace', 'trace'], ['warn', 'warn'], ['silent', 'silent']],
  logFormat: ['auto', ['json', 'json'], ['pretty', 'pretty'], ['auto', 'auto']],
  tlsCert: [undefined, [pem('a.pem'), pem('a.pem')], [pem('b.pem'), pem('b.pem')], [pem('c.pem'), pem('c.pem')]],
  tlsKey: [undefined, [pem('a.pem'), pem('a.pem')], [pem('b.pem'), pem('b.pem')], [pem('c.pem'), pem('c.pem')]],
  tlsSni: [
    [],
    [`"${pem('a.pem')}:${pem('b.pem')}"`, [{ cert: pem('a.pem'), key: pem('b.pem') }]],
    [`${pem('b.pem')}:${pem('c.pem')}`, [{ cert: pem('b.pem'), key: pem('c.pem') }]],
    [
      `${pem('a.pem')}:${pem('a.pem')}, ${pem('c.pem')}:${pem('b.pem')}`,
      [
        { cert: pem('a.pem'), key: pem('a.pem') },
        { cert: pem('c.pem'), key: pem('b.pem') },
      ],
    ],
  ],
  redirectPort: [undefined, ['81', 81], ['82', 82], ['0', 0]],
  drain: [30, ['0', 0], ['86400', 86_400], ['5', 5]],
  wait: [300, ['1', 1], ['3600', 3600], ['7', 7]],
  idle: [3600, ['0', 0], ['604800', 604_800], ['8', 8]],
  minRate: [0, ['1', 1], ['10kB', 10_000], ['2MiB', 2_097_152]],
  minRatePeriod: [60, ['1', 1], ['86400', 86_400], ['9', 9]],
  stallMax: [0, ['1', 1], ['86400', 86_400], ['9', 9]],
  peerTimeout: [60, ['1', 1], ['900', 900], ['9', 9]],
  window: [1_048_576, ['65536', 65_536], ['2MiB', 2_097_152], ['100kB', 100_000]],
  memory: [268_435_456, ['1MiB', 1_048_576], ['2GB', 2e9], ['2000000', 2e6]],
  maxReceivers: [256, ['1', 1], ['2', 2], ['3', 3]],
  maxViewers: [256, ['1', 1], ['2', 2], ['4096', 4096]],
  maxQueued: [1000, ['1', 1], ['2', 2], ['4096', 4096]],
  maxSubscribers: [4096, ['1', 1], ['2', 2], ['65536', 65_536]],
  slowSubscribers: ['hold', ['cut', 'cut'], ['hold', 'hold'], ['cut', 'cut']],
  maxWaiting: [10_000, ['1', 1], ['2', 2], ['3000000', 3_000_000]],
  maxActive: [10_000, ['1', 1], ['2', 2], ['3', 3]],
  decide: [10, ['1', 1], ['60', 60], ['9', 9]],
  trustedProxies: ['', ['10.0.0.0/8', '10.0.0.0/8'], ['::1', '::1'], ['127.0.0.1, fd00::/8', '127.0.0.1, fd00::/8']],
  reply: ['stream', ['end', 'end'], ['stream', 'stream'], ['end', 'end']],
  failedEnd: ['cut', ['clean', 'clean'], ['cut', 'cut'], ['clean', 'clean']],
  peerGone: ['error', ['away', 'away'], ['error', 'error'], ['away', 'away']],
  threads: [1, ['64', 64], ['2', 2], ['1', 1]],
  socketHelper: [true, ['no', false], ['ON', true], ['false', false]],
}

/** What has to be set as well for a key to be good: a certificate goes with a key. */
export function companion(key: SettingKey): Env {
  if (key === 'open') return { PIPEGATE_PUBLIC: 'true' }
  if (key === 'tlsCert') return { PIPEGATE_TLS_KEY: pem('a.pem') }
  if (key === 'tlsKey') return { PIPEGATE_TLS_CERT: pem('a.pem') }
  const needsBoth = key === 'tlsSni' || key === 'redirectPort'
  return needsBoth ? { PIPEGATE_TLS_CERT: pem('a.pem'), PIPEGATE_TLS_KEY: pem('a.pem') } : {}
}
