/** `memory` is one for all threads: what they hold together is bounded, and who waits gets half of it, whatever thread has the name. */
import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import type { Program } from '../../../support/program.js'
import type { RawClient } from '../../../support/raw.js'
import { client, health, metrics, namesOf, startThreads } from './rig.js'

const MEMORY = 2 * 1024 * 1024
/** One read, which is what a sender that waits may bring. */
const READ = 64 * 1024
/** So many have half of the memory. */
const PLACES = MEMORY / 2 / READ

/** Names of thread 0 and thread 1 in turns. */
const names = (count: number, before: string) => {
  const each = [0, 1].map((number) => namesOf(number, 2, count, before))
  return Array.from({ length: count }, (_, i) => each[i % 2]![i]!)
}

const held = async (program: Program) => (await health(program)).heldBytes as number

/** In one piece: of what comes behind the head later nothing is read while it waits. */
async function sender(program: Program, name: string, length: number, body: number): Promise<RawClient> {
  const each = await client(program)
  const head = `PUT /${name} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`
  await each.send(Buffer.concat([Buffer.from(head), Buffer.alloc(body, name)]))
  return each
}

const waits = (program: Program, count: number) =>
  eventually(async () => (await health(program)).waiting === count || JSON.stringify(await health(program)))

t.test('what waiting senders have brought is held for all together', async (t) => {
  const program = await startThreads(t, 2, ['--memory', `${MEMORY}`])
  const all = names(40, 'm')
  const body = 10_000
  let most = 0
  for (const [i, name] of all.entries()) {
    await sender(program, name, body, body)
    await waits(program, i + 1)
    const now = await held(program)
    if (now < most) t.fail(`${now} after ${most}`)
    most = now
    if (now > MEMORY / 2) t.fail(`${now} of ${MEMORY} for those who wait`)
  }
  // Both threads say what both hold.
  t.equal(most, all.length * body)
  t.equal((await metrics(program)).value('pipegate_held_bytes'), most)
  for (const name of all) {
    const receiver = await client(program)
    await receiver.send(`GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.ok((await receiver.waitForResponse()).body.equals(Buffer.alloc(body, name)), name)
  }
  await eventually(async () => (await held(program)) === 0 || `${await held(program)} bytes are still held`)
})

for (const threads of [1, 2]) {
  t.test(
    `who waits gets a place of half of the memory, and the next one is refused; ${threads} thread(s)`,
    async (t) => {
      const program = await startThreads(t, threads, ['--memory', `${MEMORY}`])
      const all = names(PLACES + 2, 'p')
      // Longer than a read: a whole one is set aside for each.
      const come = (name: string) => sender(program, name, 10 * READ, 0)
      const first = await come(all[0]!)
      for (const name of all.slice(1, PLACES)) await come(name)
      await waits(program, PLACES)
      for (const name of all.slice(PLACES)) {
        const refused = await (await come(name)).waitForResponse()
        t.equal(refused.status, 503, name)
        t.same([refused.headers['x-pipe-code'], refused.headers['retry-after']?.length], [['NO_MEMORY'], 1])
      }
      t.equal((await health(program)).waiting, PLACES)
      // One that leaves makes room for one, also in the other thread.
      first.destroy()
      await waits(program, PLACES - 1)
      await come(all[PLACES + 1]!)
      await waits(program, PLACES)
      t.equal((await (await come(all[0]!)).waitForResponse()).status, 503)
    },
  )
}

t.test('whatever streams at once, all threads together never hold more than there is', async (t) => {
  const program = await startThreads(t, 2, ['--memory', `${MEMORY}`, '--window', '256KiB'])
  // Receivers that do not read, beside one that does: what it has taken is held for the others.
  const all = names(16, 's')
  const stopped: RawClient[] = []
  for (const name of all) {
    const slow = await client(program)
    await slow.send(`GET /${name}?n=2 HTTP/1.1\r\nHost: a\r\n\r\n`)
    slow.pause()
    stopped.push(slow)
    const fast = await client(program)
    await fast.send(`GET /${name}?n=2 HTTP/1.1\r\nHost: a\r\n\r\n`)
    const from = await client(program)
    await from.send(`PUT /${name}?n=2 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n`)
    void from.send(Buffer.alloc(20_000_000)).catch(() => {})
  }
  let most = 0
  await eventually(async () => {
    const now = await held(program)
    most = Math.max(most, now)
    return now > MEMORY / 2 || `${now} of ${MEMORY}`
  })
  for (let i = 0; i < 200; i++) most = Math.max(most, await held(program))
  t.ok(most <= MEMORY, `${most} of ${MEMORY}`)
  for (const each of stopped) each.destroy()
})
