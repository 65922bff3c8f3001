import { z } from 'zod'
import {
  boolean,
  bytes,
  certificatePairs,
  choice,
  filePath,
  host,
  hosts,
  integer,
  networks,
  seconds,
  threads,
  urlPrefix,
  type ValueType,
} from './value-types.js'

/** What a setting has besides its schema. Flags, variables, the help text and the documentation derive from it. */
export interface SettingInfo extends Omit<ValueType<unknown>, 'schema'> {
  /** The default, as it would be written in a file; undefined for a setting without one. */
  readonly fallback: string | undefined
  /** One or two sentences for the help text and the documentation. */
  readonly help: string
}

const registry = z.registry<SettingInfo>()

function describe<S extends z.ZodType>(
  schema: S,
  type: ValueType<unknown>,
  fallback: string | undefined,
  help: string,
): S {
  const { schema: _, ...info } = type
  registry.add(schema, { ...info, fallback, help })
  return schema
}

// The default goes through the schema like any other value, so that a default out of range is noticed.
function setting<T>(type: ValueType<T>, fallback: string, help: string): z.ZodPrefault<z.ZodType<T, unknown>> {
  return describe(type.schema.prefault(fallback), type, fallback, help)
}

function optional<T>(type: ValueType<T>, help: string): z.ZodOptional<z.ZodType<T, unknown>> {
  return describe(type.schema.optional(), type, undefined, help)
}

/**
 * Every setting there is. A new row is at once a flag (`--log-level`), a variable (`PIPEGATE_LOG_LEVEL`), a file key
 * (`logLevel`), a field of `Config`, a line of `--help` and a row of docs/configuration.md.
 */
export const settings = z.strictObject({
  port: setting(integer(0, 65_535), '8080', 'Port to listen on; 0 takes any free one.'),
  host: setting(host(), '127.0.0.1', 'Address to listen on; 0.0.0.0 or :: listens on every address of the machine.'),
  hosts: setting(
    hosts(),
    '',
    'Host names that are served besides localhost and 127.0.0.1; others are refused. When it is empty, none on a loopback ' +
      'address, and every one on an address that others reach. * is every one anywhere.',
  ),
  public: setting(
    boolean(),
    'false',
    'Listen on every address of the machine, once it is said who may: with tokenFile or a plugin that asks for credentials, ' +
      'with hosts, or with open. On a terminal the start asks.',
  ),
  open: setting(
    boolean(),
    'false',
    'With public: everybody who reaches the machine may send and receive, and no token is asked for.',
  ),
  tokenFile: optional(
    filePath(),
    'Tokens that let people in: a file of the plugin auth-bearer, which is loaded with it. pipegate token makes one.',
  ),
  qr: setting(boolean(), 'false', 'Show the address as a QR code when the start is on a terminal.'),
  prefix: setting(urlPrefix(), '/api/v1/pipe', 'Path under which names live; off leaves the bare names only.'),
  bareNames: setting(boolean(), 'true', 'Names also live at /{name}, without the prefix.'),
  logLevel: setting(
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'Least severe line that is logged: trace, debug, info, warn, error, fatal or silent.',
  ),
  logFormat: setting(
    choice('auto', 'json', 'pretty'),
    'auto',
    'How log lines look; auto is pretty on a terminal and json elsewhere.',
  ),
  tlsCert: optional(filePath(), 'Certificate chain (PEM) to serve HTTPS with. Needs tlsKey.'),
  tlsKey: optional(filePath(), 'Private key (PEM) of the certificate. Needs tlsCert.'),
  tlsSni: setting(
    certificatePairs(),
    '',
    'More certificates, each for clients that ask for a host name in it (SNI). All others get tlsCert.',
  ),
  redirectPort: optional(integer(0, 65_535), 'Port for plain HTTP that sends everybody to HTTPS. Needs tlsCert.'),
  drain: setting(seconds(0, 86_400), '30', 'How long running transfers may go on after SIGTERM or SIGINT.'),
  wait: setting(seconds(1, 3600), '300', 'How long a side waits for the other unless its ?wait says otherwise.'),
  idle: setting(seconds(0, 604_800), '3600', 'A transfer in which no byte moves for this long is ended; 0 is never.'),
  minRate: setting(
    bytes(0),
    '0',
    'Bytes a second that the slowest receiver of a transfer must take, on average; a slower transfer is ended. 0 is no limit.',
  ),
  minRatePeriod: setting(seconds(1, 86_400), '60', 'The time over which minRate is averaged.'),
  stallMax: setting(
    seconds(0, 86_400),
    '0',
    'How long a receiver may take nothing while bytes wait for it: the most that ?stall can ask for, and what holds ' +
      'when it is absent. 0 is no maximum, and no limit unless asked for.',
  ),
  peerTimeout: setting(
    seconds(0, 900),
    '60',
    "After how many seconds in which a client's machine does not answer its connection is closed: it has lost its power or its " +
      'network. A client that only does not read answers. 0 leaves it to the kernel, which takes up to 15 minutes or for ever.',
  ),
  window: setting(
    bytes(64 * 1024, 1024 ** 3),
    '1MiB',
    'How far the fastest receiver of a transfer may be ahead of the slowest.',
  ),
  memory: setting(
    bytes(1024 ** 2),
    '256MiB',
    'Bytes that may be held, for all transfers and waiting senders together. Must not be less than window.',
  ),
  maxReceivers: setting(integer(1, 256), '256', 'Largest ?n a sender or receiver may ask for.'),
  maxViewers: setting(integer(1, 65_536), '256', 'Viewers that one live stream may have.'),
  maxQueued: setting(integer(1, 100_000), '1000', 'Senders that may wait on one queue, and as many receivers.'),
  maxSubscribers: setting(integer(1, 65_536), '4096', 'Subscribers that one topic may have.'),
  slowSubscribers: setting(
    choice('hold', 'cut'),
    'hold',
    'What becomes of a subscriber that is a window behind unless a publisher says otherwise: publishers wait for it (hold), or ' +
      'it is cut.',
  ),
  maxWaiting: setting(integer(1), '10000', 'Pipes that may wait at once.'),
  maxActive: setting(integer(1), '10000', 'Transfers that may stream at once.'),
  decide: setting(
    seconds(1, 60),
    '10',
    'How long plugins that ask somebody else may take to decide on a request, all together.',
  ),
  trustedProxies: setting(
    networks(),
    '',
    'Proxies whose X-Forwarded-For, -Proto and -Host are believed: addresses and networks with commas between them.',
  ),
  reply: setting(
    choice('stream', 'end'),
    'stream',
    'When the answer to a sender begins unless its ?reply says otherwise: at once (stream), or with the outcome (end).',
  ),
  failedEnd: setting(
    choice('cut', 'clean'),
    'cut',
    'How the answer to a sender ends when its transfer failed: cut, so that curl exits non-zero, or clean.',
  ),
  peerGone: setting(
    choice('error', 'away'),
    'error',
    'What a WebSocket on a duplex pipe is closed with when its peer has vanished: 1011 (error), or 1001 (away), as Hoody Pipe says it.',
  ),
  threads: setting(
    threads(),
    '1',
    'Threads that serve the port together, each with its own names; auto is one for each processor. When to have more than one: ' +
      'docs/performance.md.',
  ),
  socketHelper: setting(
    boolean(),
    'true',
    'Native help below uWebSockets: no sender can hold the event loop. Off only to find out whether it causes trouble.',
  ),
})

/** The configuration in effect. Durations are in seconds and sizes in bytes, as numbers; `prefix` is '' when off. */
export type Config = Readonly<z.output<typeof settings>>

/** The name of a setting: the key in a file and the field of {@link Config}. */
export type SettingKey = keyof typeof settings.shape

/** Every setting, in the order of the documentation. */
export const SETTING_KEYS = Object.keys(settings.shape) as readonly SettingKey[]

/** Whether `key` names a setting. */
export function isSetting(key: string): key is SettingKey {
  return Object.hasOwn(settings.shape, key)
}

/** What the table says about a setting. */
export function settingInfo(key: SettingKey): SettingInfo {
  return registry.get(settings.shape[key])!
}
