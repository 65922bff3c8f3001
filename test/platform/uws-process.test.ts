/** What uWebSockets.js does to the whole process: how it ends, what holds it, what is printed behind our back. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { connect } from '../support/raw.js'
import { head, type Tidy } from './app.js'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))

/** Longer than the 28 to 32 s after which uWebSockets closes a connection whose 30 s timer is armed. */
const PAST_THE_TIMER_MS = 34_000

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

class Child {
  ended: Ended | undefined
  stdout = ''
  stderr = ''
  port = 0
  readonly #process: ChildProcessByStdio<null, Readable, Readable>

  constructor(scenario: string) {
    this.#process = spawn(process.execPath, [CHILD, scenario], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
    })
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    this.#process.on('close', (code, signal) => {
      this.ended = { code, signal }
    })
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async says(text: string): Promise<void> {
    await eventually(
      () => this.stdout.includes(text) || `no "${text}" in ${JSON.stringify(this.stdout)} ${this.stderr}`,
    )
  }

  async end(): Promise<Ended> {
    await eventually(() => this.ended !== undefined || `the process still runs: ${this.stdout}`)
    return this.ended!
  }
}

async function start(t: Tidy, scenario: string): Promise<Child> {
  const child = new Child(scenario)
  t.teardown(() => child.kill())
  await child.says('port=')
  child.port = Number(/port=([0-9]+)/.exec(child.stdout)?.[1])
  return child
}

async function ask(child: Child, request: string): Promise<string> {
  const client = await connect(child)
  await client.send(request)
  const response = await client.waitForResponse()
  client.destroy()
  return response.body.toString()
}

async function refusesConnections(child: Child): Promise<boolean> {
  try {
    const client = await connect(child)
    client.destroy()
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  }
}

t.jobs = 8

t.test('a handler that neither answers nor registers onAborted terminates the whole process', async (t) => {
  const child = await start(t, 'careless')
  const client = await connect(child)
  await client.send(head('GET', '/'))
  t.equal((await child.end()).signal, 'SIGABRT')
})

t.test(
  'the header `uWebSockets: 20` is sent by default and gone after the option `silent`; Date is sent in both',
  async (t) => {
    for (const [scenario, expected] of [
      ['loud', ['20']],
      ['silent', undefined],
    ] as const) {
      const child = await start(t, scenario)
      const client = await connect(child)
      await client.send(head('GET', '/'))
      const { headers } = await client.waitForResponse()
      t.same(headers.uwebsockets, expected, scenario)
      t.equal(headers.date?.length, 1)
      client.destroy()
    }
  },
)

t.test(
  'an exception in a handler or in onData becomes an uncaughtException, and the server lives on with a listener',
  async (t) => {
    const child = await start(t, 'throws')
    const first = await connect(child)
    await first.send(head('GET', '/handler'))
    await child.says('uncaught in the handler')
    const second = await connect(child)
    await second.send(`${head('PUT', '/onData', 'Content-Length: 3')}abc`)
    await child.says('uncaught in onData')
    t.equal(await ask(child, head('GET', '/ok')), 'ok')
    first.destroy()
    second.destroy()
  },
)

t.test(
  'without its listen socket a process refuses connections, goes on with open ones, and ends with the last',
  async (t) => {
    const child = await start(t, 'stop')
    const client = await connect(child)
    await client.send(head('GET', '/wait'))
    await child.says('waiting')
    // Opened before the stop: it must be able to talk after it.
    const speaker = await connect(child)
    t.equal(await ask(child, head('GET', '/stop')), 'stopped')
    await eventually(async () => (await refusesConnections(child)) || 'connections are still accepted')
    await speaker.send(head('GET', '/say'))
    await client.waitFor('still here')
    await speaker.waitForClose()
    t.equal(child.ended, undefined)
    client.destroy()
    t.same(await child.end(), { code: 0, signal: null })
    t.match(child.stdout, 'aborted')
  },
)

t.test('a waiting response holds the process: it has no timer that could end it', async (t) => {
  const child = await start(t, 'stop')
  const client = await connect(child)
  await client.send(head('GET', '/wait'))
  await child.says('waiting')
  t.equal(await ask(child, head('GET', '/stop')), 'stopped')
  await eventually(async () => (await refusesConnections(child)) || 'connections are still accepted')
  const since = performance.now()
  await eventually(
    () => child.ended !== undefined || client.isClosed || performance.now() - since > PAST_THE_TIMER_MS || 'waiting',
    { timeoutMs: PAST_THE_TIMER_MS + 2_000, everyMs: 100 },
  )
  t.equal(child.ended, undefined)
  t.equal(client.isClosed, false)
  client.destroy()
  t.same(await child.end(), { code: 0, signal: null })
})

t.test('a paused sender does not hold the process: it ends at once, and onAborted is not called', async (t) => {
  const child = await start(t, 'pausedSender')
  const client = await connect(child)
  await client.send(head('PUT', '/paused', 'Content-Length: 1000000'))
  await child.says('paused')
  const since = performance.now()
  t.equal(await ask(child, head('GET', '/stop')), 'stopped')
  t.same(await child.end(), { code: 0, signal: null })
  t.ok(performance.now() - since < 5_000, 'long before any timer')
  t.notMatch(child.stdout, 'aborted')
  client.destroy()
})

/** The marks with what the native code printed between them. */
function warnings(child: Child, place: string): number {
  const between = child.stderr.split(`# ${place}: begin\n`)[1]?.split(`# ${place}: end\n`)[0]
  if (between === undefined) throw new Error(`no marks of ${place} in ${child.stderr}`)
  return between.split('writes must be made from within a corked callback').length - 1
}

t.test(
  'a write on another response warns only outside of all callbacks, and says false for a dead peer unless its own cork holds it',
  async (t) => {
    const child = await start(t, 'otherResponses')
    const living = await connect(child)
    t.teardown(() => living.destroy())
    await living.send(head('GET', '/living'))
    await living.waitFor('started')
    const places: Record<string, string> = {
      '/handler': head('GET', '/handler'),
      '/onData': `${head('PUT', '/onData', 'Content-Length: 3')}abc`,
      '/onWritable': head('GET', '/onWritable'),
      '/otherCork': head('GET', '/otherCork'),
      '/onAborted': head('GET', '/onAborted'),
      '/setImmediate': head('GET', '/setImmediate'),
      '/ownCork': head('GET', '/ownCork'),
    }
    for (const [place, request] of Object.entries(places)) {
      // A sender that is paused and died: nothing reports it, and the next write meets the RST that is already there.
      const dead = await connect(child)
      await dead.send(`${head('PUT', '/dead', 'Content-Length: 1000')}abc`)
      await dead.waitFor('started')
      dead.reset()
      await dead.closed
      const client = await connect({ port: child.port, keep: false, pauseOnConnect: place === '/onWritable' })
      await client.send(request)
      if (place === '/onAborted') client.destroy()
      if (place === '/onWritable') client.resume()
      const line = place === '/ownCork' ? `${place}: dead true\n` : `${place}: living true, dead false\n`
      await child.says(`${place}: `)
      await eventually(() => child.stderr.includes(`# ${place}: end`) || 'the mark did not arrive')
      t.ok(child.stdout.includes(line), `${place} in ${child.stdout}`)
      t.equal(warnings(child, place), place === '/setImmediate' ? 2 : 0, `warnings in ${place}`)
      client.destroy()
    }
  },
)
