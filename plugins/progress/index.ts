import {
  type Answer,
  definePlugin,
  isDoneOfMany,
  type Join,
  jsonAnswer,
  Parameters,
  type PipeView,
  type Reply,
  type RequestView,
  readAddress,
  show,
} from '../../gateway/host/plugin-api.js'
import { type Config, schema } from './config.js'
import { PROGRESS_FAILURES, type ProgressFailure } from './failures.js'
import { hasManyTransfers } from './many.js'
import { dashboard } from './page/index.js'
import { Receipts } from './receipts.js'
import { Spectators } from './spectators.js'
import { Tally } from './tally.js'
import { Transfers } from './transfers.js'

const TICK_MS = 250
const SAMPLE_MS = 1000
const KEEP_ALIVE_MS = 15_000
const FROZEN_MS = 60_000
/** A page without scripts. */
const REFRESH_SEC = 5

const TRANSFER_ID = /^[A-Za-z0-9_-]{16,64}$/

/** Makes an EventSource stop reconnecting. */
const NO_MORE_EVENTS: Answer = { status: 204, headers: [['Cache-Control', 'no-store']], body: '' }

/** `?progress` and `?status`: what a name is doing, for everybody who may watch it, without taking part in it. */
export default definePlugin<Config, ProgressFailure>({
  name: 'progress',
  api: 1,
  scope: 'thread',
  summary: 'Shows transfers as they run (?progress), and what became of them (?status).',
  config: schema,
  failures: PROGRESS_FAILURES,

  setup(host) {
    const { now, pipes, config } = host
    const wallClock = Date.now
    // Each thread has its share of them, for its own names.
    const most = Math.ceil(config.receipts / host.thread.count)
    const receipts = new Receipts({ most, keepMs: config.keep * 1000, now, wallClock })
    const transfers = new Transfers(pipes, receipts, { lingerMs: config.linger * 1000, now, wallClock })
    const spectators = new Spectators(transfers, {
      perName: config.spectators,
      names: config.names,
      watched: new Tally(host, 'watched names'),
      lifeMs: config.life * 1000,
      frozenMs: FROZEN_MS,
      now,
    })
    const changed = (pipe: PipeView) => {
      // There may be thousands of them a second: spectators are told what the name counts a few times a second.
      if (!hasManyTransfers(pipe)) spectators.changed(pipe.key)
    }
    const moved = (pipe: PipeView) => {
      if (pipe.kind !== 'pipe' && pipe.state === 'streaming') spectators.stirred(pipe.key)
      else changed(pipe)
    }
    const receipt = (key: string, id: string) => {
      const found = transfers.byId(key, id)
      return found === undefined ? host.refuse('unknownTransfer') : jsonAnswer(200, found)
    }
    const watch = (request: RequestView, reply: Reply, join: Join) => {
      const already = request.header('last-event-id')
      if (already !== '' && receipts.get(join.key, already) !== undefined) return reply.give(NO_MORE_EVENTS)
      const full = spectators.full(join.key)
      if (full !== undefined) return reply.give(host.refuse(full.what, { expected: full.expected }))
      const withHistory = new Parameters(request.query).get('history') !== undefined
      join.onOver(spectators.add(join.key, reply, withHistory))
    }
    const page = (request: RequestView, { key, name }: Join) =>
      dashboard(transfers.snapshot(key), {
        name,
        base: host.has('pages') ? baseOf(request) : undefined,
        frameAncestors: config.frameAncestors,
        refreshSec: REFRESH_SEC,
      })
    const baseOf = ({ path }: RequestView) => {
      const address = readAddress(path, { prefix: host.prefix, bareNames: true })
      return 'underPrefix' in address && address.underPrefix ? host.prefix : ''
    }
    return {
      hooks: {
        onJoined: moved,
        onLeft: moved,
        onLooked: changed,
        onPaired: changed,
        onEnded(pipe) {
          // Without a sender nothing has been transferred: the name is idle again.
          if (pipe.transferId === '') changed(pipe)
          else if (isDoneOfMany(pipe)) changed(pipe)
          else if (hasManyTransfers(pipe)) receipts.add(pipe)
          else spectators.ended(receipts.add(pipe))
        },
      },
      modes: [
        {
          param: 'progress',
          // A browser that goes there accepts HTML, so what it gets is the page.
          page: true,
          handle: (request, reply, join) => {
            const accept = request.header('accept')
            if (accept.includes('text/html')) reply.give(page(request, join))
            else if (accept.includes('application/json')) reply.give(jsonAnswer(200, transfers.snapshot(join.key)))
            else watch(request, reply, join)
          },
        },
        {
          param: 'status',
          head: true,
          handle: (request, reply, join) => {
            const id = new Parameters(request.query).get('transfer')
            if (id === undefined) reply.give(jsonAnswer(200, transfers.snapshot(join.key)))
            else reply.give(TRANSFER_ID.test(id) ? receipt(join.key, id) : host.refuse('badId', { found: show(id) }))
          },
        },
      ],
      start() {
        host.every(TICK_MS, () => spectators.tick())
        host.every(SAMPLE_MS, () => transfers.sampleAll())
        host.every(KEEP_ALIVE_MS, () => {
          spectators.keepAlive()
          receipts.sweep()
        })
      },
      drain: () => spectators.drain(),
    }
  },
})
