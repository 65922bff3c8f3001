/**
 * A crowd that asks one worker, of a gateway in a process of its own: each gets its own answer, who waits costs a bounded amount of
 * memory, and all others are told when the worker has gone.
 *
 * `PIPEGATE_ASK_CROWD=10000 node dist/test/gateway/router/ask-crowd.test.js`, as at night; fewer where descriptors are.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import { startProgram } from '../../support/program.js'
import { ResponseReader } from '../../support/response-reader.js'
import { amount } from '../../support/thorough.js'

const DESCRIPTORS = Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString()) || Number.POSITIVE_INFINITY
const WANTED = Number(process.env.PIPEGATE_ASK_CROWD ?? amount(1000, 10_000))
/** Even. Both processes need one for each, and some for themselves. */
const CROWD = 2 * Math.floor(Math.min(WANTED, DESCRIPTORS - 500) / 2)
const HALF = CROWD / 2
/** Who waits longest comes first. The others are told when all is done, on a machine that has other things to do as well. */
const WAIT_S = Math.round(10 + CROWD / 150)
const LONG = { timeoutMs: 40_000 + CROWD * 20, everyMs: 50 }
/** Those that connect at the same time: a listener has room for 511 or fewer. */
const AT_ONCE = 100
const QUESTION_BYTES = 1000
/** Of the gateway, for one who waits: about twice what was measured. */
const MOST_BYTES_EACH = 30_000

/** One connection, and the response that it gets, read as it comes: nothing polls ten thousand of them. */
class Client {
  text = ''
  isOver = false
  reader = this.#reader()

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.reader.push(bytes)
      if (this.reader.complete) this.over()
    })
    socket.on('error', () => {}).on('close', () => this.over())
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Client(socket)
  }

  over = () => {
    this.isOver = true
  }

  get outcome(): string {
    const { head, complete } = this.reader
    if (head === undefined || !complete) return 'cut'
    return `${head.status} ${head.headers.get('x-pipe-code') ?? ''}`.trimEnd()
  }

  ask(method: string, target: string, body: string): void {
    this.socket.write(`${method} /${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  }

  /** Reads one more response. */
  next(): Promise<void> {
    this.text = ''
    this.isOver = false
    this.reader = this.#reader()
    return new Promise((resolve) => {
      this.over = () => {
        this.isOver = true
        resolve()
      }
    })
  }

  #reader(): ResponseReader {
    return new ResponseReader((bytes) => {
      this.text += bytes.toString('latin1')
    })
  }
}

/** Where it is, once and for all: to ask the program is to read all of its log. */
interface Place {
  readonly port: number
  readonly metrics: string
}

async function metrics(place: Place): Promise<Exposition> {
  return new Exposition(await (await fetch(place.metrics)).text())
}

const question = (i: number) => `question ${i} `.padEnd(QUESTION_BYTES, '?')

/** These ask, and wait. */
async function crowd(place: Place, from: number, to: number, query: string): Promise<Client[]> {
  const all: Client[] = []
  for (let at = from; at < to; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, to - at) }, () => Client.open(place.port))
    for (const client of await Promise.all(some)) {
      client.ask('POST', `q?ask&${query}`, question(from + all.length))
      all.push(client)
    }
  }
  await eventually(async () => {
    const waiting = (await metrics(place)).value('pipegate_ask_waiting', { side: 'asker' })
    return waiting === to || `${waiting} of ${to} wait`
  }, LONG)
  return all
}

t.setTimeout(600_000)
t.test(`${CROWD} askers of one worker`, { timeout: 590_000 }, async (t) => {
  if (CROWD < WANTED) t.comment(`${WANTED} were wanted, and ${DESCRIPTORS} descriptors are enough for ${CROWD}`)
  const program = await startProgram(t, ['--max-queued', `${CROWD}`, '--max-waiting', `${CROWD + 100}`])
  const place = { port: program.port, metrics: program.url('metrics') }
  // What is loaded and reserved once has been before anything is measured.
  const first = await crowd(place, 0, 1, 'wait=1')
  await eventually(() => first[0]!.isOver || 'it waits', LONG)
  t.equal(first[0]!.outcome, '408 NO_RECEIVERS')
  const before = await metrics(place)

  const served = await crowd(place, 0, HALF, 'wait=600&within=300')
  const others = await crowd(place, HALF, CROWD, `wait=${WAIT_S}&within=2`)
  const askers = [...served, ...others]
  t.teardown(() => {
    for (const { socket } of [...first, ...askers]) socket.destroy()
  })
  const waiting = await metrics(place)
  const each = (['process_resident_memory_bytes', 'pipegate_held_bytes'] as const).map((name) =>
    Math.round((waiting.value(name) - before.value(name)) / CROWD),
  )
  t.comment(`one who waits: ${each[0]} bytes of the process, ${each[1]} held`)
  t.ok(each[0]! < MOST_BYTES_EACH, `${each[0]} bytes of the process for each who waits`)
  t.ok(each[1]! <= 2 * QUESTION_BYTES, `${each[1]} bytes held for each`)

  const from = performance.now()
  const worker = await Client.open(place.port)
  t.teardown(() => worker.socket.destroy())
  const asked = new Set<number>()
  let target = 'q?serve'
  let answer = ''
  for (;;) {
    const questioned = worker.next()
    if (answer === '') worker.socket.write(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
    else worker.ask('POST', target, answer)
    await questioned
    const i = Number(/^question (\d+) /.exec(worker.text)?.[1] ?? Number.NaN)
    if (worker.outcome !== '200' || worker.text !== question(i)) throw new Error(`${worker.outcome} ${worker.text}`)
    if (asked.has(i)) t.fail(`${i} is asked twice`)
    asked.add(i)
    // The worker has one more than it answers.
    if (asked.size > HALF) break
    target = `q?serve&answer=${new URL(worker.reader.head!.headers.get('x-pipe-answer')!).searchParams.get('answer')}`
    answer = `the answer to ${worker.text}`
  }
  const ms = performance.now() - from
  worker.socket.destroy()
  t.comment(`${HALF} answers in ${Math.round(ms)} ms`)
  t.same(
    [...asked].slice(0, HALF).filter((i) => i >= HALF),
    [],
    'those who came first were first',
  )
  await eventually(
    () => served.every(({ isOver }) => isOver) || `${served.filter(({ isOver }) => !isOver).length} wait`,
    LONG,
  )
  const wrong = served.filter(({ outcome, text }, i) => outcome !== '200' || text !== `the answer to ${question(i)}`)
  t.same(
    wrong.slice(0, 3).map(({ outcome, text }) => `${outcome} ${text.slice(0, 40)}`),
    [],
    `${HALF} have their own answer, and none another's`,
  )

  t.equal(others.filter(({ isOver }) => isOver).length, 0, 'who has not been asked yet waits for another worker')
  await eventually(
    () => others.every(({ isOver }) => isOver) || `${others.filter(({ isOver }) => !isOver).length} wait`,
    LONG,
  )
  const outcomes: Record<string, number> = {}
  for (const { outcome } of others) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  t.same(outcomes, { '504 NO_ANSWER': 1, '408 NO_RECEIVERS': HALF - 1 }, 'all others are told')
  const last = [...asked].at(-1)!
  t.equal(others[last - HALF]?.outcome, '504 NO_ANSWER', 'the one whose question the worker had')

  for (const { socket } of askers) socket.destroy()
  await eventually(async () => {
    const left = await metrics(place)
    const names = ['pipegate_ask_names', 'pipegate_ask_unanswered', 'pipegate_held_bytes'] as const
    const all = names.map((name) => left.value(name))
    // This scrape is one.
    all.push(left.value('pipegate_open_requests') - 1)
    return all.every((value) => value === 0) || `left: ${all}`
  }, LONG)
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})
