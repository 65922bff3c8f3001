/** The parameters of a sender or a receiver, checked and with defaults. */
import { type JoinOptions, Refusal, type SenderJoinOptions, type StreamKindName } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import { integer, type Parameters, show } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import { TRANSFER_ID } from '../../http/transfer-id.js'
import { newSha256 } from '../../stream/sha256.js'
import type { RouterOptions } from '../options.js'
import { readLiveSender } from './live-options.js'
import { readQueueSender } from './queue/queue-options.js'

const MAX_WAIT_S = 3600
const MAX_STALL_S = 86_400

/** How long it waits, in milliseconds. */
export function readWait(parameters: Parameters, defaults: Pick<RouterOptions, 'waitMs'>): number | Refusal {
  const wait = parameters.integer('wait', 1, MAX_WAIT_S)
  if (wait instanceof Refusal) return wait
  return wait === undefined ? defaults.waitMs : wait * 1000
}

/** The options of either side. */
export function readJoinOptions(
  parameters: Parameters,
  defaults: RouterOptions,
  kind: StreamKindName,
): JoinOptions | Refusal {
  const receivers = parameters.integer('n', 1, defaults.maxReceivers)
  if (receivers instanceof Refusal) return receivers
  const waitMs = readWait(parameters, defaults)
  if (waitMs instanceof Refusal) return waitMs
  const onlyIfAwaited = parameters.switch('now')
  if (onlyIfAwaited instanceof Refusal) return onlyIfAwaited
  const sha256 = parameters.switch('sha256')
  if (sha256 instanceof Refusal) return sha256
  const newDigest = sha256 === true ? newSha256 : undefined
  return { kind, receivers: receivers ?? 1, waitMs, onlyIfAwaited, limits: undefined, newDigest }
}

/** @param takeMs of a question, which its own parameters say */
export function readSenderJoinOptions(
  request: RequestView,
  parameters: Parameters,
  defaults: RouterOptions,
  kind: StreamKindName,
  takeMs?: number,
): SenderJoinOptions | Refusal {
  const ofLive = kind === 'live' ? readLiveSender(parameters, defaults) : undefined
  if (ofLive instanceof Refusal) return ofLive
  const ofQueue = kind === 'queue' ? readQueueSender(parameters) : undefined
  if (ofQueue instanceof Refusal) return ofQueue
  const common = readJoinOptions(parameters, defaults, kind)
  if (common instanceof Refusal) return common
  const stall = parameters.integer('stall', 1, MAX_STALL_S)
  if (stall instanceof Refusal) return stall
  const expectedBytes = readExpectedBytes(request, parameters)
  if (expectedBytes instanceof Refusal) return expectedBytes
  const transferId = parameters.get('transfer')
  if (transferId !== undefined && !TRANSFER_ID.test(transferId)) {
    const expected = '16 to 64 letters, digits, "_" and "-"'
    return new Refusal(FAILURES.badParameter, { name: 'transfer', found: show(transferId), expected })
  }
  const { stallMaxMs, newTransferId } = defaults
  const stallMs = stall === undefined ? stallMaxMs : stall * 1000
  // No object is spread here: that takes a microsecond, of some forty for a short transfer.
  return {
    kind,
    receivers: ofLive?.receivers ?? common.receivers,
    waitMs: common.waitMs,
    // A live stream streams whether somebody waits or not.
    onlyIfAwaited: ofLive === undefined ? common.onlyIfAwaited : false,
    limits: undefined,
    newDigest: common.newDigest,
    stallMs: stallMaxMs === 0 ? stallMs : Math.min(stallMs, stallMaxMs),
    transferId: transferId ?? newTransferId(),
    expectedBytes,
    live: ofLive?.live,
    takeMs: ofQueue?.takeMs ?? takeMs,
    ask: undefined,
  }
}

/** The total that a sender without a Content-Length announces. */
function readExpectedBytes(request: RequestView, parameters: Parameters): number | undefined | Refusal {
  const header = request.header('x-pipe-size')
  const size = parameters.integer('size', 0, Number.MAX_SAFE_INTEGER)
  return size ?? (header === '' ? undefined : integer('X-Pipe-Size', header, 0, Number.MAX_SAFE_INTEGER))
}
