/**
 * The two figures that do not depend on the load of the machine: what a chunk costs in system calls and in bytes of heap. A
 * change that makes one of them worse fails here, before any stopwatch could show it.
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { MAIN, type Program, startProgram } from '../support/program.js'
import { connect, type RawClient } from '../support/raw.js'
import { sample } from '../support/thorough.js'
import type { Measured } from './gateway-allocations.js'
import { ROOMY } from './heap.js'

const MIB = 1024 * 1024
/** As `curl -T -` makes them. */
const CHUNK = Buffer.concat([Buffer.from('fff4\r\n'), Buffer.alloc(0xfff4, 'chunk'), Buffer.from('\r\n')])
const FRAMINGS = ['length', 'chunked'] as const
type Framing = (typeof FRAMINGS)[number]

/** A transfer that flows: `pour` sends so many MiB more, and resolves when all receivers have them. */
async function flow(t: Test, port: number, framing: Framing, receivers: number) {
  const name = `${framing}-${receivers}?n=${receivers}`
  const clients: RawClient[] = []
  for (let i = 0; i < receivers; i++) {
    const client = await connect({ port, keep: false })
    await client.send(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
    clients.push(client)
  }
  const sender = await connect({ port })
  t.teardown(() => {
    for (const client of [...clients, sender]) client.destroy()
  })
  const head = framing === 'length' ? `Content-Length: ${2 ** 40}` : 'Transfer-Encoding: chunked'
  await sender.send(`PUT /${name} HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
  await sender.waitFor('Streaming')
  const piece = framing === 'length' ? Buffer.alloc(MIB) : Buffer.concat(Array<Buffer>(16).fill(CHUNK))
  return async (mebibytes: number) => {
    const due = clients.map((client) => client.receivedBytes + mebibytes * 0.99 * MIB)
    for (let i = 0; i < mebibytes; i++) await sender.send(piece)
    const behind = () => clients.filter((client, i) => client.receivedBytes < due[i]!).length
    await eventually(() => behind() === 0 || `${behind()} receivers are behind`)
  }
}

t.test('the core allocates nothing for a chunk that all receivers take', async (t) => {
  const script = fileURLToPath(new URL('./core-allocations.js', import.meta.url))
  const { bytesPerChunk, complete } = JSON.parse(
    execFileSync(process.execPath, [...ROOMY, script], { encoding: 'utf8' }),
  )
  t.ok(complete, 'every receiver got every chunk')
  t.ok(bytesPerChunk < 1, `${bytesPerChunk} bytes of heap for a chunk`)
})

/**
 * uWebSockets makes an ArrayBuffer for each read, and an array for what each write took; we make a view on each of them. A
 * read has up to 448 KiB, which a receiver that lags takes in several writes. Measured: 1 100, and 4 500 to 9 000.
 */
const MOST_HEAP = { 1: 3000, 8: 16_000 } as const

/** A plugin in every hook costs a read nothing: no hook is on the data path. */
const LOADED = [
  { framing: 'length', receivers: 1, args: [], loaded: '' },
  { framing: 'length', receivers: 8, args: [], loaded: '' },
  { framing: 'chunked', receivers: 8, args: [], loaded: '' },
  { framing: 'chunked', receivers: 1, args: [], loaded: '' },
  { framing: 'length', receivers: 1, args: ['plugin'], loaded: ', with a plugin in every hook' },
] as const

for (const { framing, receivers, args, loaded } of sample(LOADED, 3)) {
  t.test(`${framing}, ${receivers} receiver(s)${loaded}: bytes of heap for each read`, async (t) => {
    const script = fileURLToPath(new URL('./gateway-allocations.js', import.meta.url))
    const child = fork(script, args, { execArgv: [...ROOMY] })
    t.teardown(() => child.kill('SIGKILL'))
    const [port] = (await once(child, 'message')) as [number]
    const pour = await flow(t, port, framing, receivers)
    const measure = async (): Promise<Measured> => {
      child.send('measure')
      return (await once(child, 'message'))[0] as Measured
    }
    await pour(256)
    let measured = await measure()
    for (let i = 0; i < 8 && (i === 0 || measured.bytes === undefined); i++) {
      await pour(128)
      measured = await measure()
    }
    const { reads, bytes = Number.POSITIVE_INFINITY } = measured
    t.ok(reads > 128, `${reads} reads`)
    const most = MOST_HEAP[receivers]
    t.ok(bytes / reads < most, `${Math.round(bytes / reads)} bytes of heap for a read, ${most} at most`)
  })
}

/** Network calls of the process's main thread, for each MiB that was relayed. */
const MOST_CALLS = { length: 16, chunked: 16 } as const
const CALLS = ['recvfrom', 'sendto', 'sendmsg', 'writev', 'epoll_wait', 'epoll_pwait', 'epoll_ctl', 'poll']

/** The process that strace runs. */
function tracee(program: Program): number {
  return Number(readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim())
}

for (const framing of FRAMINGS) {
  t.test(`${framing}: system calls for each MiB`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const out = join(folder, 'calls')
    const strace = ['strace', '-c', '-U', 'calls,name', '-e', `trace=${CALLS.join(',')}`, '-o', out] as const
    const program = await startProgram(t, ['--log-level', 'info'], { command: [...strace, process.execPath, MAIN] })
    const pour = await flow(t, program.port, framing, 1)
    await pour(256)
    process.kill(tracee(program), 'SIGKILL')
    await program.ends()
    const counts = [...readFileSync(out, 'utf8').matchAll(/^ *([0-9]+) +([a-z_]+)$/gm)]
    const calls = counts
      .filter(([, , name]) => CALLS.includes(name!))
      .reduce((sum, [, count]) => sum + Number(count), 0)
    t.ok(calls > 256, `${calls} calls were counted`)
    t.ok(
      calls / 256 < MOST_CALLS[framing],
      `${(calls / 256).toFixed(1)} calls for a MiB, ${MOST_CALLS[framing]} at most`,
    )
  })
}
