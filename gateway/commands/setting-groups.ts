import type { SettingKey } from '../config/settings.js'

const ADDRESSES = 'Where it listens, and for which names'
const LOG = 'Log'
const TLS = 'TLS'
const TIMES = 'Times and rates'
const AMOUNTS = 'Amounts'
const ANSWERS = 'Answers to senders'
const MACHINE = 'The machine'

/** The headings under which `--help` and the manual pages list the settings. */
export const GROUP_OF: Readonly<Record<SettingKey, string>> = {
  port: ADDRESSES,
  host: ADDRESSES,
  hosts: ADDRESSES,
  public: ADDRESSES,
  open: ADDRESSES,
  tokenFile: ADDRESSES,
  prefix: ADDRESSES,
  bareNames: ADDRESSES,
  trustedProxies: ADDRESSES,
  qr: ADDRESSES,
  logLevel: LOG,
  logFormat: LOG,
  tlsCert: TLS,
  tlsKey: TLS,
  tlsSni: TLS,
  redirectPort: TLS,
  drain: TIMES,
  wait: TIMES,
  idle: TIMES,
  minRate: TIMES,
  minRatePeriod: TIMES,
  stallMax: TIMES,
  peerTimeout: TIMES,
  decide: TIMES,
  window: AMOUNTS,
  memory: AMOUNTS,
  maxReceivers: AMOUNTS,
  maxViewers: AMOUNTS,
  maxQueued: AMOUNTS,
  maxSubscribers: AMOUNTS,
  slowSubscribers: AMOUNTS,
  maxWaiting: AMOUNTS,
  maxActive: AMOUNTS,
  reply: ANSWERS,
  failedEnd: ANSWERS,
  peerGone: ANSWERS,
  threads: MACHINE,
  socketHelper: MACHINE,
}
