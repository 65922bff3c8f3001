import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { isOnPath, type Peer } from '../peers.js'
import { measured } from '../program/measured-command.js'
import { CROC, SIDES, type Side } from '../program/sides.js'
import { Relay } from '../relay.js'

const MIB = 1024 ** 2
const SHM = '/dev/shm'

const crocRelay: Peer = {
  name: 'croc relay',
  missing: () => (existsSync(CROC) ? null : 'croc is not installed: sh perf/peers.sh'),
  // It takes the ports behind the first one for its connections.
  command: ({ ports: [port] }) => [CROC, 'relay', '--host', '127.0.0.1', '--ports', ports(port).join(',')],
  target: ({ ports: [port] }) => ({ scheme: 'raw', port, outPort: port }),
}

const ports = (first: number) => [0, 1, 2, 3, 4].map((i) => first + i)

/** What is sent: its size in bytes, and how it is made. */
interface Load {
  readonly name: string
  readonly bytes: number
  readonly isFolder: boolean
  make(folder: string): void
}

const loads = (quick: boolean): readonly Load[] => {
  const [size, count] = quick ? [5e8, 4000] : [2e9, 20_000]
  return [
    { name: 'one file', bytes: size, isFolder: false, make: (folder) => fill(join(folder, 'one'), size) },
    {
      name: `${count} files of 10 kB`,
      bytes: count * 10_000,
      isFolder: true,
      make: (folder) => {
        for (let i = 0; i < count; i++) {
          const part = join(folder, 'many', `${i % 100}`)
          if (i < 100) mkdirSync(part, { recursive: true })
          writeFileSync(join(part, `file-${i}`), Buffer.alloc(10_000, i))
        }
      },
    },
  ]
}

/** A file that no compression makes small for free, and no file system leaves out. */
function fill(path: string, size: number): void {
  const chunk = crypto.getRandomValues(new Uint8Array(65_536))
  const bytes = Buffer.alloc(8 * MIB, Buffer.from(chunk))
  writeFileSync(path, '')
  for (let at = 0; at < size; at += bytes.length) {
    writeFileSync(path, bytes.subarray(0, Math.min(bytes.length, size - at)), { flag: 'a' })
  }
}

export const program: Lane = {
  name: 'program',
  title: 'Files by pipegate send and receive, beside curl through the same gateway, and croc with its relay here',
  deadline: 1800,
  async run(context) {
    if (!isOnPath('time')) return context.report.note('skipped: GNU time is not installed: sh perf/peers.sh')
    // In memory where that can be had: a disk would be measured otherwise.
    const folder = mkdtempSync(join(existsSync(SHM) ? SHM : tmpdir(), 'pipegate-program-'))
    try {
      await runLoads(context, folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function runLoads(context: Context, folder: string): Promise<void> {
  const { head, report, quick } = context
  const gateway = await Relay.start(head)
  const croc = context.sides(crocRelay).includes(crocRelay) ? await Relay.start(crocRelay) : undefined
  const sides = SIDES.filter(({ relay }) => relay === 'pipegate' || croc !== undefined)
  for (const load of loads(quick)) {
    load.make(folder)
    await interleave(sides, context.rounds, (side, round) =>
      one(context, folder, load, side, round, side.relay === 'croc' ? croc! : gateway),
    )
    rmSync(join(folder, load.isFolder ? 'many' : 'one'), { recursive: true })
  }
  await Promise.all([gateway.stop(), croc?.stop()])
  const [own, bare, curl] = SIDES.map(({ name }) => name)
  report.goal('one file: speed', bare!, 'MB/s', {
    what: 'MB/s of one file through a local gateway',
    target: 1500,
    bound: 'least',
  })
  report.ratioGoal('20000 files of 10 kB: time', own!, curl!, {
    what: 'time of a folder against tar and curl',
    target: 1,
    bound: 'most',
  })
  report.goal('one file: largest process', own!, 'MiB', {
    what: 'MiB of the larger program',
    target: 120,
    bound: 'most',
    always: true,
  })
}

async function one(
  { report, say }: Context,
  folder: string,
  { name, bytes, isFolder }: Load,
  side: Side,
  round: number,
  relay: Relay,
): Promise<void> {
  const to = join(folder, 'to')
  mkdirSync(to)
  const what = isFolder ? 'many' : 'one'
  const { send, receive } = side.commands({
    ...{
      from: folder,
      what,
      isFolder,
      to,
      port: relay.target.port,
      name: `lane-${process.pid}-${name.length}-${round}`,
    },
  })
  const before = relay.cpu()
  const [sent, received] = await Promise.all([measured(send), measured(receive)])
  const cpu = sent.cpu + received.cpu
  const seconds = Math.max(sent.seconds, received.seconds) - (side.relay === 'croc' ? 1 : 0)
  report.add(side.name, `${name}: time`, 's', seconds)
  report.add(side.name, `${name}: CPU of both programs`, 's/GB', cpu / (bytes / 1e9))
  report.add(side.name, `${name}: CPU of the relay`, 's/GB', (relay.cpu() - before) / (bytes / 1e9))
  report.add(side.name, `${name}: largest process`, 'MiB', Math.max(sent.memory, received.memory) / MIB)
  // Without the start of a program, which is a fifth of a second of Node.
  const own = /"seconds":([\d.]+)/.exec(sent.output)?.[1]
  if (own !== undefined) report.add(side.name, `${name}: speed`, 'MB/s', bytes / 1e6 / Number(own))
  say(`${name}, round ${round + 1}, ${side.name}: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of CPU`)
  rmSync(to, { recursive: true })
}
