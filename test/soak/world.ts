/** Everything that the soak needs: two gateways as they are shipped, and real services around them. */

import type { ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeCertificate } from '../support/certificate.js'
import { startDnsServer } from '../support/dns-server.js'
import { makeKey, sign, startIssuer } from '../support/issuer.js'
import { RedisServer } from '../support/redis-server.js'
import type { Teardown } from '../support/teardown.js'
import { clockJump } from './faults/clock.js'
import { fewDescriptors, fullMemory, resets } from './faults/crowds.js'
import type { Fault } from './faults/fault.js'
import { fullDisk, stoppedReader } from './faults/logs.js'
import { dnsChange, issuerFaults, lies, redisFaults } from './faults/services.js'
import { hangup, newCertificate, stoppedClient, stoppedGateway } from './faults/signals.js'
import { GatewayProcess } from './gateway-process.js'
import { asked } from './load/ask.js'
import type { Door } from './load/connection.js'
import { curlPair } from './load/curl-pair.js'
import { download, upload } from './load/forward.js'
import type { Kind } from './load/job.js'
import { odd } from './load/odd.js'
import { queued } from './load/queue.js'
import { published } from './load/topic.js'
import { transfer } from './load/transfer.js'
import { watch } from './load/watch.js'
import { echo } from './load/websocket.js'
import type { Timeline } from './timeline.js'
import { startEcho, TapeServers } from './upstreams.js'

const NAME = 'up.test'
const ADDRESSES = ['127.0.0.1', '127.0.0.2']
const TEN_YEARS_S = 10 * 365 * 24 * 3600
/** So that a clock that jumps finds them valid. */
const DATES = ['20200101000000Z', '20450101000000Z'] as const

export interface KindOfLoad {
  readonly name: string
  readonly kind: Kind
  /** So many of it at the same time. */
  readonly atOnce: number
}

export interface World {
  readonly gateways: readonly GatewayProcess[]
  readonly doors: readonly Door[]
  readonly kinds: readonly KindOfLoad[]
  readonly faults: readonly Fault[]
  readonly servers: TapeServers
}

export async function buildWorld(t: Teardown, folder: string, timeline: Timeline, threads = 1): Promise<World> {
  const { servers, port: tapePort } = await TapeServers.start(t, ADDRESSES)
  const dns = await startDnsServer(t)
  dns.names.set(NAME, ADDRESSES)
  const echoPort = await startEcho(t)
  const redis = await RedisServer.start(t)
  const keys = [await makeKey('ES256', 'own'), await makeKey('ES256', 'other')] as const
  const issuer = await startIssuer(t, ...keys)
  const token = await sign(keys[0], { claims: { exp: Math.floor(Date.now() / 1000) + TEN_YEARS_S } })
  const files = { cert: join(folder, 'served.pem'), key: join(folder, 'served.key') }
  const certificates = ['one', 'two'].map((name) => makeCertificate(folder, { name, dates: DATES }))
  copyFileSync(certificates[0]!.cert, files.cert)
  copyFileSync(certificates[0]!.key, files.key)

  const plain = await GatewayProcess.start(t, {
    name: 'plain',
    folder: folderIn(folder, 'plain'),
    log: 'file',
    config: { threads, ...plainConfig(tapePort, echoPort, dns.address) },
  })
  const guarded = await GatewayProcess.start(t, {
    name: 'guarded',
    folder: folderIn(folder, 'guarded'),
    log: 'pipe',
    config: { threads, ...guardedConfig(files, issuer.url, redis.url) },
  })
  const door: Door = { name: 'plain', port: plain.port, tls: false, credentials: () => '' }
  const tlsDoor: Door = {
    name: 'TLS',
    port: guarded.port,
    tls: true,
    credentials: () => `Authorization: Bearer ${token}\r\n`,
  }
  const visible = new Set<string>()
  const visibleTls = new Set<string>()
  const curls = new Set<Pick<ChildProcess, 'kill'>>()
  const gateways = [plain, guarded]
  return {
    gateways,
    doors: [door, tlsDoor],
    servers,
    kinds: [
      { name: 'transfers', kind: transfer(door, visible), atOnce: 12 },
      { name: 'transfers, TLS and token', kind: transfer(tlsDoor, visibleTls), atOnce: 6 },
      { name: 'transfers of curl', kind: curlPair(door, curls), atOnce: 1 },
      { name: 'transfers of curl, TLS', kind: curlPair(tlsDoor, curls), atOnce: 1 },
      { name: 'spectators', kind: watch(door, visible), atOnce: 3 },
      { name: 'spectators, TLS', kind: watch(tlsDoor, visibleTls), atOnce: 1 },
      { name: 'forwarded downloads', kind: download(door), atOnce: 2 },
      { name: 'forwarded uploads', kind: upload(door), atOnce: 2 },
      { name: 'forwarded WebSockets', kind: echo(door), atOnce: 2 },
      { name: 'queues', kind: queued(door), atOnce: 3 },
      { name: 'queues, TLS and token', kind: queued(tlsDoor), atOnce: 1 },
      { name: 'topics', kind: published(door), atOnce: 2 },
      { name: 'topics, TLS and token', kind: published(tlsDoor), atOnce: 1 },
      { name: 'questions', kind: asked(door), atOnce: 3 },
      { name: 'questions, TLS and token', kind: asked(tlsDoor), atOnce: 1 },
      { name: 'requests to refuse', kind: odd(door, tlsDoor), atOnce: 1 },
    ],
    faults: [
      fullDisk(plain),
      stoppedReader(guarded),
      hangup(plain),
      newCertificate(guarded, files, [certificates[1]!, certificates[0]!]),
      stoppedGateway(gateways, timeline),
      stoppedClient(curls),
      resets(door),
      clockJump(gateways),
      fewDescriptors(plain, door),
      fullMemory(door),
      ...redisFaults(redis),
      ...issuerFaults(issuer, keys),
      dnsChange(dns, NAME, ADDRESSES),
      lies(servers),
    ],
  }
}

function folderIn(folder: string, name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  return path
}

function plainConfig(tapePort: number, echoPort: number, resolver: string) {
  const tapes = {
    prefix: '/up/',
    strip: true,
    dns: `${NAME}:${tapePort}`,
    resolver: [resolver],
    lookup: 0.2,
    health: { interval: 0.3, timeout: 1, rise: 1, fall: 1 },
    timeouts: { connect: 2, response: 2, idle: 20 },
  }
  const sockets = { prefix: '/ws/', upstreams: [`http://127.0.0.1:${echoPort}`], health: { interval: 1 } }
  return {
    memory: '32MiB',
    window: '256KiB',
    drain: 10,
    plugins: [
      { plugin: 'access-log', config: { output: { file: 'access.log' } } },
      { plugin: 'reverse-proxy', config: { routes: [tapes, sockets] } },
    ],
  }
}

function guardedConfig(files: { cert: string; key: string }, jwksUrl: string, redisUrl: string) {
  const window = { points: 1_000_000_000, seconds: 3600 }
  return {
    tlsCert: files.cert,
    tlsKey: files.key,
    drain: 10,
    plugins: [
      {
        plugin: 'auth-jwt',
        config: { jwksUrl, issuer: 'issuer', audience: 'pipes', jwksCooldown: 1, jwksMaxAge: 2, jwksTimeout: 1 },
      },
      {
        plugin: 'limits',
        config: { token: { requests: window, transfers: window, pipes: 1000 }, redis: { url: redisUrl } },
      },
    ],
  }
}
