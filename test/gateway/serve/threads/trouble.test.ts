/** Clients that mean no good to several threads, and a machine that has no descriptors left for them. */
import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { Chain } from '../../../../client/doctor/chain.js'
import { examine } from '../../../../client/doctor/examine.js'
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { type Program, startProgram } from '../../../support/program.js'
import type { RawClient } from '../../../support/raw.js'
import { client, descriptors, health, namesOf, request, startThreads } from './rig.js'

t.jobs = 3

const PAIRS = 2
const names = () => [0, 1].map((number) => namesOf(number, 2, 1)[0]!)

/** A transfer in each thread, which goes on whatever happens. */
async function begin(t: Test, program: Program, before: string) {
  const all = [0, 1].flatMap((number) => namesOf(number, 2, PAIRS, before))
  const pairs = all.map((name) => {
    const receiver = curl(['-N', program.url(name)])
    const sender = curl(['-N', '-T', '.', program.url(name)])
    sender.stdin.write('first ')
    return { receiver, sender }
  })
  t.teardown(() => {
    for (const { receiver, sender } of pairs) for (const each of [receiver, sender]) each.kill()
  })
  for (const { receiver } of pairs) await receiver.waitFor('first')
  return {
    async end() {
      for (const { sender } of pairs) sender.stdin.end('last')
      for (const { receiver, sender } of pairs) {
        t.equal((await receiver.result).stdout.toString(), 'first last')
        t.equal((await sender.result).code, 0)
      }
    },
  }
}

/** Asks about a name of the one and of the other thread in turns, so many at a time without waiting for an answer. */
async function changeNames(each: RawClient, times: number, atOnce: number): Promise<void> {
  const [even, odd] = names()
  const some = Array.from({ length: atOnce }, (_, i) => request('DELETE', `/${i % 2 === 0 ? even : odd}`)).join('')
  const all = () => each.text.split('HTTP/1.1 405').length - 1
  const before = all()
  const answers = () => all() - before
  for (let asked = 0; asked < times; asked += atOnce) {
    void each.send(some).catch(() => {})
    await eventually(() => answers() >= asked + atOnce || `${answers()} answers of ${asked + atOnce}`)
  }
}

t.test('names that change with every request, as fast as can be, hurt nobody else', async (t) => {
  const program = await startThreads(t, 2)
  const honest = await begin(t, program, 'h')
  const clients = await Promise.all(Array.from({ length: 6 }, () => client(program)))
  for (const each of clients) await changeNames(each, 2, 2)
  const before = descriptors(program)
  await Promise.all(clients.map((each) => changeNames(each, 600, 60)))
  t.equal(descriptors(program), before, 'each has the one that it had')
  for (const each of clients) each.destroy()
  await honest.end()
  await eventually(() => descriptors(program) <= before - 6 || `${descriptors(program)} descriptors of ${before}`)
  t.equal((await health(program)).waiting, 0)
})

t.test('half request lines: both threads serve on, and each gets its answer once it is whole', async (t) => {
  const program = await startThreads(t, 2)
  const honest = await begin(t, program, 'h')
  const all = names()
  const halves = await Promise.all(Array.from({ length: 60 }, () => client(program)))
  for (const [i, each] of halves.entries()) await each.send(`DELETE /${all[i % 2]!.slice(0, 1)}`)
  for (let i = 0; i < 10; i++)
    for (const name of all) {
      const one = await client(program)
      await one.send(request('DELETE', `/${name}`))
      t.equal((await one.waitForResponse()).status, 405)
      one.destroy()
    }
  for (const [i, each] of halves.entries()) await each.send(`${all[i % 2]!.slice(1)} HTTP/1.1\r\nHost: a\r\n\r\n`)
  for (const each of halves) if ((await each.waitForResponse()).status !== 405) t.fail(each.text)
  await honest.end()
})

t.test(
  'no descriptor left: who has a connection is served and moved, who comes is closed, and none is lost',
  async (t) => {
    const program = await startThreads(t, 2)
    const limit = (most: number | 'unlimited') =>
      execFileSync('prlimit', ['--pid', `${program.pid}`, `--nofile=${most}:`])
    const usual = execFileSync('prlimit', ['--pid', `${program.pid}`, '--nofile', '-o', 'SOFT', '--noheadings'])
    const honest = await begin(t, program, 'h')
    const kept = await Promise.all(Array.from({ length: 4 }, () => client(program)))
    // All of them are there, and have moved once.
    for (const each of kept) await changeNames(each, 2, 2)
    const before = descriptors(program)
    limit(before)
    const moving = Promise.all(kept.map((each) => changeNames(each, 302, 20)))
    // A few may find a number that is free below the limit.
    const come = Array.from({ length: 40 }, async () => {
      const each = await client(program)
      await each.send(request('DELETE', '/x')).catch(() => {})
      await eventually(() => each.isClosed || each.text.includes('\r\n\r\n') || 'neither served nor closed')
      return each
    })
    const all = await Promise.all(come)
    const served = all.filter((each) => /^HTTP\/1.1 (405|503)/.test(each.text))
    const closed = all.filter((each) => each.text === '')
    t.equal(served.length + closed.length, all.length)
    t.ok(closed.length > 10, `${closed.length} of ${all.length} are closed`)
    await moving
    for (const each of all) each.destroy()
    limit(Number(usual.toString()))
    const next = await client(program)
    await next.send(request('DELETE', '/x'))
    t.equal((await next.waitForResponse()).status, 405)
    next.destroy()
    await honest.end()
    for (const each of kept) each.destroy()
    await eventually(() => descriptors(program) <= before - 4 || `${descriptors(program)} descriptors of ${before}`)
  },
)

t.test('killed with all of this going on: a new start on the same port serves at once', async (t) => {
  const program = await startThreads(t, 2)
  const { port } = program
  await begin(t, program, 'h')
  const clients = await Promise.all(Array.from({ length: 12 }, () => client(program)))
  const misuse = async (each: RawClient) => {
    for (let before = 0; !each.isClosed; before = each.receivedBytes) {
      void each
        .send(
          names()
            .map((name) => request('DELETE', `/${name}`))
            .join(''),
        )
        .catch(() => {})
      await eventually(() => each.isClosed || each.receivedBytes > before || 'no answer')
    }
  }
  for (const [i, each] of clients.entries()) void (i % 3 === 0 ? each.send('GET /half') : misuse(each))
  const gone = clients.map(({ closed }) => closed)
  await eventually(() => clients[1]!.text.length > 20_000 || 'not under way')
  program.kill('SIGKILL')
  t.equal((await program.ends()).signal, 'SIGKILL')
  await Promise.all(gone)
  const next = await startProgram(t, ['--threads', '2', '--port', `${port}`])
  t.equal(next.port, port)
  const honest = await begin(t, next, 'n')
  await honest.end()
})

t.test('pipegate doctor finds nothing wrong with it', async (t) => {
  const program = await startThreads(t, 2)
  const chain = new Chain({ url: new URL(`http://127.0.0.1:${program.port}`), headers: {} })
  t.teardown(() => chain.close())
  const found: Record<string, string> = {}
  for await (const { check, verdict } of examine(chain, { silenceMs: 500 })) found[check] = verdict
  t.ok(Object.keys(found).length > 18, `${Object.keys(found).length} checks`)
  t.same(
    Object.entries(found).filter(([, verdict]) => verdict !== 'ok'),
    [],
  )
})
