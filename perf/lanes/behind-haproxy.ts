import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runBulk } from '../bulk.js'
import type { Lane } from '../lane.js'
import { PROJECT } from '../paths.js'
import { haproxy, pipegate } from '../peers.js'
import { Relay } from '../relay.js'

const NODES = 3
const HTTP = 'HAProxy of deploy/'
const TCP = 'HAProxy as TCP relay'

export const behindHaproxy: Lane = {
  name: 'behind-haproxy',
  title: 'One sender, one receiver, a body with Content-Length, both through HAProxy',
  deadline: 300,
  async run(context) {
    const { quick, report } = context
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-haproxy-'))
    const nodes: Relay[] = []
    try {
      while (nodes.length < NODES) nodes.push(await Relay.start(pipegate()))
      const ports = nodes.map(({ target }) => target.port)
      const peers = context.sides(
        haproxy(HTTP, join(folder, 'http.cfg'), (port) => httpConfig(port, ports)),
        haproxy(TCP, join(folder, 'tcp.cfg'), (port) => tcpConfig(port, ports[0]!)),
      )
      await runBulk(context, peers, {
        name: 'behind-haproxy',
        framing: 'length',
        bytes: quick ? 5e8 : 2e9,
        receivers: 1,
      })
    } finally {
      await Promise.all(nodes.map((node) => node.stop()))
      rmSync(folder, { recursive: true })
    }
    report.ratioGoal('behind-haproxy: throughput', HTTP, TCP, {
      what: 'throughput against the same path with HAProxy as a TCP relay',
      target: 0.8,
      bound: 'least',
    })
  },
}

/** The configuration that is shipped, with these addresses, and as many connections as any machine allows. */
function httpConfig(port: number, nodes: readonly number[]): string {
  const shipped = readFileSync(join(PROJECT, 'deploy/haproxy/haproxy.cfg'), 'utf8')
  const bound = shipped.replace('bind :80', `bind 127.0.0.1:${port}`).replace('maxconn 20000', 'maxconn 100')
  return nodes.reduce((text, node, i) => text.replace(`10.0.0.${i + 1}:8080`, `127.0.0.1:${node}`), bound)
}

/** Bytes of a connection to another one, read as the shipped configuration reads them. */
function tcpConfig(port: number, node: number): string {
  return `global
  tune.bufsize 131072
defaults
  mode tcp
  timeout connect 5s
  timeout client 61m
  timeout server 61m
listen relay
  bind 127.0.0.1:${port}
  server a 127.0.0.1:${node}
`
}
