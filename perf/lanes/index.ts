/** The lanes there are, in the order in which they run. */

import type { Lane } from '../lane.js'
import { ask } from './ask.js'
import { behindHaproxy } from './behind-haproxy.js'
import { churn } from './churn.js'
import { crowd } from './crowd.js'
import { fanOut } from './fan-out.js'
import { fanOutOneSlow } from './fan-out-one-slow.js'
import { fanOutTls } from './fan-out-tls.js'
import { forward } from './forward.js'
import { handshakes } from './handshakes.js'
import { ipc } from './ipc.js'
import { live } from './live.js'
import { migrate } from './migrate.js'
import { migrateChunked } from './migrate-chunked.js'
import { migrateTls } from './migrate-tls.js'
import { program } from './program.js'
import { queue } from './queue.js'
import { reverseProxy } from './reverse-proxy.js'
import { slowReader } from './slow-reader.js'
import { soak } from './soak.js'
import { spectators } from './spectators.js'
import { threads } from './threads.js'
import { topic } from './topic.js'
import { waiting } from './waiting.js'

export const LANES: readonly Lane[] = [
  migrate,
  migrateChunked,
  migrateTls,
  behindHaproxy,
  reverseProxy,
  slowReader,
  fanOut,
  fanOutTls,
  fanOutOneSlow,
  crowd,
  live,
  ipc,
  forward,
  churn,
  handshakes,
  threads,
  topic,
  queue,
  ask,
  waiting,
  spectators,
  program,
  soak,
]
