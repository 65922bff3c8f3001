import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { isOnPath, type Peer } from '../peers.js'
import { Relay } from '../relay.js'
import { makeTlsFiles } from '../tls-files.js'

const KINDS = [
  { name: 'full', resumes: false },
  { name: 'resumed', resumes: true },
] as const

type Kind = (typeof KINDS)[number]

export const handshakes: Lane = {
  name: 'handshakes',
  title: 'Connections over TLS 1.3 that are begun and ended, with a key on P-256, 16 at a time',
  deadline: 300,
  compares: true,
  async run(context) {
    const { head, report } = context
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-nginx-'))
    const tls = makeTlsFiles()
    const relays = new Map<Peer, Relay>()
    const client = new ClientProcess()
    try {
      const peers = context.sides(nginx(folder))
      for (const peer of peers) relays.set(peer, await Relay.start(peer, tls))
      for (const kind of KINDS) {
        await interleave(peers, context.rounds, (peer, round) =>
          runRound(context, relays.get(peer)!, client, kind, round),
        )
        report.ratioGoal(`${kind.name}: CPU`, head.name, 'nginx', {
          what: `CPU per handshake against nginx, ${kind.name}`,
          target: 1.1,
          bound: 'most',
        })
      }
    } finally {
      await Promise.all([client.end(), ...[...relays.values()].map((relay) => relay.stop())])
      tls.remove()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function runRound(
  context: Context,
  relay: Relay,
  client: ClientProcess,
  kind: Kind,
  round: number,
): Promise<void> {
  const { report, quick, say } = context
  const count = quick ? 1000 : 8000
  const job = { target: relay.target, parallel: 16, resumes: kind.resumes }
  if (round === 0) await client.run('handshakes', { ...job, count: count / 4 })
  await relay.settle()
  const before = relay.cpu()
  const seconds = await client.run('handshakes', { ...job, count })
  await relay.settle()
  const each = ((relay.cpu() - before) / count) * 1e6
  report.add(relay.peer.name, `${kind.name}: CPU`, 'µs', each)
  report.add(relay.peer.name, `${kind.name}: per second`, '/s', count / seconds)
  say(`${kind.name}, round ${round + 1}, ${relay.peer.name}: ${each.toFixed(0)} µs each`)
}

/** One process, as pipegate is one thread, with the same certificate; clients choose the cipher and the curve. */
function nginx(folder: string): Peer {
  return {
    name: 'nginx',
    missing: () => (isOnPath('nginx') ? null : 'nginx is not installed: sh perf/peers.sh'),
    command: ({ ports: [port], tls }) => {
      const file = join(folder, 'nginx.conf')
      writeFileSync(file, configuration(folder, port, tls!))
      return ['nginx', '-e', 'stderr', '-p', folder, '-c', file]
    },
    target: ({ ports: [port] }) => ({ scheme: 'https', port, outPort: port }),
  }
}

function configuration(folder: string, port: number, { cert, key }: { cert: string; key: string }): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1000; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    return 204;
  }
}
`
}
