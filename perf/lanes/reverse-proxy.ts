import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { type Peer, pipegate } from '../peers.js'
import { Relay } from '../relay.js'

const OURS = 'plugin reverse-proxy'
const THEIRS = 'http-proxy on Node'
const PARALLEL = 32
const SMALL = 100
const UPSTREAM = program('http-upstream')

/** The same requests through the plugin and through http-proxy on Node's own server, to the same upstream. */
export const reverseProxy: Lane = {
  name: 'reverse-proxy',
  title: `Requests of ${SMALL} bytes, ${PARALLEL} at a time, and long bodies each way, through a reverse proxy`,
  deadline: 300,
  async run(context) {
    const { report, rounds } = context
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-reverse-proxy-'))
    const upstream = await Relay.start(node('upstream', ({ port }) => [UPSTREAM, `${port}`]))
    const relays = new Map<Peer, Relay>()
    const client = new ClientProcess()
    try {
      const peers = [
        plugin(join(folder, 'pipegate.json'), upstream.target.port),
        node(THEIRS, ({ port }) => [program('http-proxy-server'), `${port}`, `${upstream.target.port}`]),
      ]
      for (const peer of peers) relays.set(peer, await Relay.start(peer))
      await interleave(peers, rounds, (peer, round) => requests(context, relays.get(peer)!, client, round))
      await interleave(peers, rounds, (peer, round) => bodies(context, relays.get(peer)!, client, round))
    } finally {
      await Promise.all([client.end(), upstream.stop(), ...[...relays.values()].map((relay) => relay.stop())])
      rmSync(folder, { recursive: true })
    }
    for (const figure of ['requests: per CPU second', 'requests: per second']) {
      report.ratioGoal(figure, OURS, THEIRS, { what: `${figure} against ${THEIRS}`, target: 1, bound: 'least' })
    }
    for (const figure of ['download: CPU', 'upload: CPU']) {
      report.ratioGoal(figure, OURS, THEIRS, { what: `${figure} per GB against ${THEIRS}`, target: 1, bound: 'most' })
    }
  },
}

async function requests(
  { quick, report, say }: Context,
  relay: Relay,
  client: ClientProcess,
  round: number,
): Promise<void> {
  const count = quick ? 10_000 : 40_000
  const job = { target: relay.target, path: `/${SMALL}`, parallel: PARALLEL, bytes: SMALL }
  if (round === 0) await client.run('ask', { ...job, requests: 5000 })
  await relay.settle()
  const before = relay.cpu()
  const seconds = await client.run('ask', { ...job, requests: count })
  const perCpu = count / (relay.cpu() - before)
  report.add(relay.peer.name, 'requests: per CPU second', '/s', perCpu)
  report.add(relay.peer.name, 'requests: per second', '/s', count / seconds)
  say(
    `requests, round ${round + 1}, ${relay.peer.name}: ${perCpu.toFixed(0)} per CPU second, ${(count / seconds).toFixed(0)}/s`,
  )
}

async function bodies(
  { quick, report, say }: Context,
  relay: Relay,
  client: ClientProcess,
  round: number,
): Promise<void> {
  const bytes = quick ? 5e8 : 2e9
  const { target } = relay
  const jobs = {
    download: (size: number) => client.run('ask', { target, path: `/${size}`, requests: 1, parallel: 1, bytes: size }),
    upload: (size: number) => client.run('send', { target, path: '/body', bytes: size, framing: 'length' }),
  }
  for (const [name, run] of Object.entries(jobs)) {
    if (round === 0) await run(1e8)
    await relay.settle()
    const before = relay.cpu()
    const from = performance.now()
    await run(bytes)
    const seconds = (performance.now() - from) / 1000
    const perGb = (relay.cpu() - before) / (bytes / 1e9)
    report.add(relay.peer.name, `${name}: CPU`, 's/GB', perGb)
    report.add(relay.peer.name, `${name}: throughput`, 'MB/s', bytes / 1e6 / seconds)
    say(
      `${name}, round ${round + 1}, ${relay.peer.name}: ${perGb.toFixed(3)} s/GB, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`,
    )
  }
}

/** The gateway with nothing but the plugin. */
function plugin(file: string, upstream: number): Peer {
  const gateway = pipegate()
  const off = ['cors', 'metrics', 'progress', 'pages', 'openapi'].map((name) => ({ plugin: name, enabled: false }))
  const config = { routes: [{ upstreams: [`http://127.0.0.1:${upstream}`] }] }
  writeFileSync(file, JSON.stringify({ plugins: [...off, { plugin: 'reverse-proxy', config }] }))
  return { ...gateway, name: OURS, command: (options) => [...gateway.command(options), '--config', file] }
}

/** A program of this folder. */
function node(name: string, args: (options: { readonly port: number }) => readonly string[]): Peer {
  return {
    name,
    missing: () => null,
    command: ({ ports: [port] }) => [process.execPath, ...args({ port })],
    target: ({ ports: [port] }) => ({ scheme: 'http', port, outPort: port }),
  }
}

function program(name: string): string {
  return fileURLToPath(new URL(`../${name}.js`, import.meta.url))
}
