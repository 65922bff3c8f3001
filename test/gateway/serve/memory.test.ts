/** What waiting senders take of a real process. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { Program } from '../../support/program.js'
import { connect, type RawClient } from '../../support/raw.js'

/** With a slab of 64 KiB for each, half of this memory is enough for 512 of them. */
const MEMORY = '64MiB'
const SENDERS = 1500
const BODY = Buffer.alloc(5000, 'x')
/**
 * Besides what it sent: the request, its pipe, and its connection, 5000 to 8000 bytes as docs/operating.md says, and what V8 has not
 * collected yet, up to 6000 more on a busy machine. A slab for each would be 65 000.
 */
const MOST_BESIDES = 20_000

t.test(`${SENDERS} senders that wait, each with ${BODY.length} bytes`, { timeout: 120_000 }, async (t) => {
  const program = new Program(t, ['serve', '--port', '0', '--memory', MEMORY], {})
  await program.waitForLog('listening')
  const health = async () =>
    (await (await fetch(program.url('health'))).json()) as { waiting: number; heldBytes: number }
  const clients: RawClient[] = []
  const wait = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const client = await connect({ port: program.port })
      clients.push(client)
      const head = `PUT /wait-${clients.length} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${BODY.length}\r\n\r\n`
      // In one piece: what comes after the head is not read any more while it waits.
      await client.send(Buffer.concat([Buffer.from(head), BODY]))
    }
    await eventually(
      async () => {
        const { waiting, heldBytes } = await health()
        return (
          (waiting === clients.length && heldBytes === clients.length * BODY.length) || `${waiting}, ${heldBytes} held`
        )
      },
      { timeoutMs: 30_000 },
    )
  }
  // What the first of them take is code that is compiled.
  await wait(300)
  const before = residentBytes(program.pid)
  await wait(SENDERS)
  const each = (residentBytes(program.pid) - before) / SENDERS
  t.ok(each <= BODY.length + MOST_BESIDES, `${Math.round(each)} bytes for each`)
  for (const client of clients) client.destroy()
  await eventually(async () => (await health()).heldBytes === 0 || 'bytes are still held', { timeoutMs: 30_000 })
})

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024
}
