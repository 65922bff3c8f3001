/**
 * The 30 s timers of uWebSockets.js, and pause() and resume(), which are what the gateway keeps connections alive with.
 *
 * uWebSockets arms 30 s and looks every 4 s, so a connection with a timer is closed after 28 to 32 s. "Alive" means alive
 * after ALIVE_MS. Almost all of the time is waiting: every test here runs beside all others.
 */

import type { HttpResponse } from 'uWebSockets.js'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { connect, type RawClient } from '../../support/raw.js'
import { chunk, Desk, head, pattern, type Seen, type Served, serve, type Tidy } from '../app.js'

const MIB = 1024 * 1024
// Between two touches, so that a response that has just ended is not touched.
const ALIVE_MS = 38_000
const KEEPALIVE_MS = 4_000
/** For what uWebSockets closes by itself: 32 s, and room for a busy machine. */
const CLOSE_MS = 40_000
// More than the kernel holds for a receiver that does not read: about 4 MiB on loopback.
const LARGE = pattern(12 * MIB)

/** A timer of uWebSockets ended it: not at once, and not by this test's own deadline. */
function byTimer(t: { ok(value: boolean, message: string): unknown }, ms: number): void {
  t.ok(ms > 27_000 && ms < CLOSE_MS, `after ${Math.round(ms)} ms`)
}

/** Resolves after ALIVE_MS, or as soon as `dead` says that it will not live that long. */
async function staysAlive(dead: () => boolean): Promise<boolean> {
  const since = performance.now()
  await eventually(() => dead() || performance.now() - since > ALIVE_MS || 'the time is not over', {
    timeoutMs: ALIVE_MS + 5_000,
    everyMs: 50,
  })
  return !dead()
}

/** Something periodic that stops with the test, or when `run` says so. */
function every(t: Tidy, ms: number, run: () => void): void {
  const timer = setInterval(run, ms)
  t.teardown(() => clearInterval(timer))
}

function keepAlive(t: Tidy, seen: Seen): void {
  every(t, KEEPALIVE_MS, () => {
    if (seen.aborted) return
    seen.res.pause()
    seen.res.resume()
  })
}

function trickle(t: Tidy, client: RawClient, ms = 500): void {
  every(t, ms, () => {
    void client.send('x')
  })
}

interface Pair {
  readonly client: RawClient
  readonly seen: Seen
  readonly served: Served
}

/** One request of which the handler did `each`. */
async function open(t: Tidy, request: string, each: (seen: Seen) => void = () => {}, stalled = false): Promise<Pair> {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any('/*', desk.handler(each))
  })
  const client = await connect({ port: served.port, pauseOnConnect: stalled, keep: !stalled })
  t.teardown(() => client.destroy())
  await client.send(request)
  return { client, served, seen: await desk.arrival('/') }
}

const PUT = head('PUT', '/', 'Content-Length: 1000000000')
const CHUNKED_PUT = head('PUT', '/', 'Transfer-Encoding: chunked')

t.jobs = 40

t.test('without help, a sender that trickles is aborted', async (t) => {
  const { client, seen } = await open(t, PUT, (seen) => seen.read())
  trickle(t, client)
  await seen.untilAborted(CLOSE_MS)
  byTimer(t, seen.abortedAfterMs)
  t.ok(seen.bytes > 5, `${seen.bytes} bytes came until then`)
})

/** Gives a response of LARGE to a client that does not read; writes on whenever there is room. */
function download(seen: Seen, form: 'write' | 'tryEnd'): void {
  const { res } = seen
  let offset = 0
  const push = (): boolean => {
    if (form === 'tryEnd') return res.tryEnd(LARGE.subarray(res.getWriteOffset()), LARGE.length)[0]
    while (offset < LARGE.length) {
      const piece = LARGE.subarray(offset, offset + 256 * 1024)
      offset += piece.length
      if (!res.write(piece)) return false
    }
    res.end()
    return true
  }
  res.onWritable(push)
  setImmediate(() => res.cork(push))
}

for (const form of ['write', 'tryEnd'] as const) {
  t.test(`without help, a receiver that does not read is aborted (${form})`, async (t) => {
    const { client, seen } = await open(t, head('GET', '/'), (seen) => download(seen, form), true)
    await seen.untilAborted(CLOSE_MS)
    byTimer(t, seen.abortedAfterMs)
    client.resume()
    await client.waitForClose()
    t.ok(client.receivedBytes < LARGE.length, `${client.receivedBytes} bytes arrived`)
  })

  t.test(`pause() and resume() every 4 s keep a receiver that does not read (${form})`, async (t) => {
    const desk = new Desk()
    const served = await serve(t, (app) => {
      app.any(
        '/*',
        desk.handler((seen) => download(seen, form)),
      )
    })
    const client = await connect({ port: served.port, pauseOnConnect: true })
    t.teardown(() => client.destroy())
    await client.send(head('GET', '/'))
    const seen = await desk.arrival('/')
    let finished = false
    every(t, KEEPALIVE_MS, () => {
      if (seen.aborted || finished) return
      seen.res.pause()
      seen.res.resume()
    })
    t.ok(await staysAlive(() => seen.aborted), 'alive')
    finished = true
    client.resume()
    t.ok((await client.waitForResponse({ timeoutMs: CLOSE_MS })).body.equals(LARGE), 'every byte, in order')
  })
}

t.test('pause() and resume() every 4 s keep a sender that trickles, and no byte is lost', async (t) => {
  const { client, seen } = await open(t, head('PUT', '/', 'Content-Length: 1000'), (seen) => {
    seen.read((_chunk, last) => {
      if (last) seen.res.end(`${seen.bytes} bytes`)
    })
  })
  keepAlive(t, seen)
  let sent = 0
  const timer = setInterval(() => {
    sent++
    void client.send('x')
  }, 3_000)
  t.teardown(() => clearInterval(timer))
  t.ok(await staysAlive(() => seen.aborted), 'alive')
  clearInterval(timer)
  t.ok(sent >= 5)
  await client.send('x'.repeat(1000 - sent))
  t.equal((await client.waitForResponse()).body.toString(), '1000 bytes')
})

t.test('a response that waits without a byte sent has no timer', async (t) => {
  const { client, seen } = await open(t, head('GET', '/'))
  t.ok(await staysAlive(() => seen.aborted), 'alive')
  seen.res.cork(() => seen.res.end('late'))
  t.equal((await client.waitForResponse()).body.toString(), 'late')
})

t.test('a waiting response that was re-armed once has a timer, and must be re-armed again and again', async (t) => {
  const { seen } = await open(t, head('GET', '/'))
  seen.res.pause()
  seen.res.resume()
  await seen.untilAborted(CLOSE_MS)
  byTimer(t, seen.abortedAfterMs)
})

/** Sends more than the kernel takes and lets it all drain. Answers when the last writable event was seen. */
async function drained(t: Tidy, withOnWritable: boolean): Promise<Pair> {
  let drains = 0
  const pair = await open(t, head('GET', '/'), () => {}, true)
  const { res } = pair.seen
  if (withOnWritable) {
    res.onWritable(() => {
      if (res.write('x')) drains++
      return true
    })
  }
  res.cork(() => res.write(LARGE))
  pair.client.resume()
  await eventually(() => pair.client.receivedBytes > LARGE.length || `${pair.client.receivedBytes} bytes arrived`)
  if (withOnWritable) await eventually(() => drains > 0 || 'onWritable did not drain everything')
  return pair
}

t.test('a receiver that drained has no timer when onWritable is registered', async (t) => {
  const { seen } = await drained(t, true)
  t.ok(await staysAlive(() => seen.aborted), 'alive')
})

t.test('a receiver that drained has a timer when onWritable is not registered', async (t) => {
  const { seen } = await drained(t, false)
  await seen.untilAborted(CLOSE_MS)
  byTimer(t, seen.abortedAfterMs)
})

t.test('pause() in the handler does not stop the timer: the sender is aborted although it is alive', async (t) => {
  const { client, seen } = await open(t, PUT, (seen) => {
    seen.read()
    seen.res.pause()
  })
  trickle(t, client)
  await seen.untilAborted(CLOSE_MS)
  byTimer(t, seen.abortedAfterMs)
})

t.test('pause() in the first onData keeps a paused sender', async (t) => {
  const { client, seen } = await open(t, PUT, (seen) => seen.read(() => seen.res.pause()))
  t.same(seen.calls, [[0, false]])
  trickle(t, client)
  t.ok(await staysAlive(() => seen.aborted), 'alive')
  t.equal(seen.bytes, 0, 'and nothing is read')
})

t.test('pause() from setImmediate keeps a paused sender, also after a chunked head that came alone', async (t) => {
  const pending: Pair[] = []
  for (const request of [PUT, CHUNKED_PUT]) {
    const pair = await open(t, request, (seen) => {
      seen.read()
      setImmediate(() => seen.res.pause())
    })
    pending.push(pair)
  }
  for (const { client } of pending) await client.send('5\r\nhello\r\n')
  t.ok(await staysAlive(() => pending.some(({ seen }) => seen.aborted)), 'alive')
  t.same(
    pending.map(({ seen }) => seen.bytes),
    [0, 0],
  )
})

/** uWebSockets arms the timer of a sender again for each 480 KiB that it gave to onData. */
const ARMS_AGAIN = 480 * 1024

/**
 * A sender that is 1 KiB short of arming the timer again, then sends two chunks in one packet: 512 bytes, during which
 * `stop` runs for the first time, and `rest` bytes, which uWebSockets delivers although it was told to pause.
 */
async function stopsBetween(t: Tidy, rest: number, stop: (res: HttpResponse, calls: number) => void): Promise<Pair> {
  let calls = 0
  const pair = await open(t, CHUNKED_PUT, (seen) => {
    seen.read(() => {
      if (seen.bytes > ARMS_AGAIN - 1024) stop(seen.res, ++calls)
    })
  })
  await pair.client.send(chunk(Buffer.alloc(ARMS_AGAIN - 1024)))
  await pair.seen.untilBytes(ARMS_AGAIN - 1024)
  await pair.client.send(Buffer.concat([chunk(Buffer.alloc(512)), chunk(Buffer.alloc(rest))]))
  await pair.seen.untilBytes(ARMS_AGAIN - 512 + rest)
  return pair
}

t.test('what is delivered after a single pause() arms the timer again when 480 KiB are full', async (t) => {
  const { seen } = await stopsBetween(t, 2048, (res, calls) => {
    if (calls === 1) res.pause()
  })
  await seen.untilAborted(CLOSE_MS)
  byTimer(t, seen.abortedAfterMs)
})

t.test('a single pause() is enough only when less than 480 KiB came', async (t) => {
  const { seen } = await stopsBetween(t, 256, (res, calls) => {
    if (calls === 1) res.pause()
  })
  t.ok(await staysAlive(() => seen.aborted), 'alive')
})

t.test('pause() in every onData keeps a paused sender whatever is still delivered', async (t) => {
  const { seen } = await stopsBetween(t, 2048, (res) => res.pause())
  t.ok(await staysAlive(() => seen.aborted), 'alive')
})

t.test('a paused sender that died is never reported by itself; two periodic corked writes report it', async (t) => {
  const dead: Seen[] = []
  for (const leave of [(client: RawClient) => client.destroy(), (client: RawClient) => client.reset()]) {
    const { client, seen } = await open(t, PUT, (seen) => seen.read(() => seen.res.pause()))
    await client.send('x'.repeat(1000))
    leave(client)
    await client.closed
    dead.push(seen)
  }
  t.ok(await staysAlive(() => dead.some((seen) => seen.aborted)), 'not reported')
  for (const seen of dead) {
    let writes = 0
    const timer = setInterval(() => {
      if (seen.aborted) return
      writes++
      seen.res.cork(() => seen.res.write('waiting\n'))
    }, 500)
    await seen.untilAborted(5_000)
    clearInterval(timer)
    t.ok(writes <= 2, `${writes} writes`)
  }
})

/** A server in a thread where nobody called pause() before. */
async function freshThread(t: Tidy, form: 'resume' | 'both'): Promise<RawClient> {
  const worker = new Worker(new URL('./fresh-thread.js', import.meta.url), { workerData: form })
  const [port] = (await once(worker, 'message')) as [number]
  t.teardown(async () => {
    const gone = once(worker, 'exit')
    worker.postMessage('close')
    await gone
  })
  const client = await connect({ port })
  t.teardown(() => client.destroy())
  await client.send(head('PUT', '/', 'Content-Length: 5'))
  // The empty onData after the head is where the thread touches the socket; the body comes later.
  await once(worker, 'message')
  await client.send('hello')
  return client
}

t.test('in a fresh thread pause() and resume() back to back read on', async (t) => {
  const client = await freshThread(t, 'both')
  t.equal((await client.waitForResponse()).body.toString(), '5 bytes')
})

t.test('in a fresh thread resume() without a pause() before makes the socket deaf', async (t) => {
  const since = performance.now()
  const client = await freshThread(t, 'resume')
  await client.waitForClose(CLOSE_MS)
  byTimer(t, performance.now() - since)
  t.equal(client.receivedBytes, 0)
})

const WHOLE = `${head('PUT', '/', 'Content-Length: 5')}hello`

t.test('once the whole body was read there is no timer, whether it was re-armed before or not', async (t) => {
  const untouched = await open(t, WHOLE, (seen) => seen.read())
  const touched = await open(t, head('PUT', '/', 'Content-Length: 5'), (seen) => {
    seen.read((_chunk, last) => {
      if (last) return
      seen.res.pause()
      seen.res.resume()
    })
  })
  await touched.client.send('hello')
  const both = [untouched.seen, touched.seen]
  for (const seen of both) await seen.untilLast()
  t.ok(touched.seen.calls.length > 1, 'touched before the end')
  t.ok(await staysAlive(() => both.some((seen) => seen.aborted)), 'alive')
})

t.test('re-arming after the whole body was read starts the timer', async (t) => {
  const { seen } = await open(t, WHOLE, (seen) => seen.read())
  await seen.untilLast()
  seen.res.pause()
  seen.res.resume()
  await seen.untilAborted(CLOSE_MS)
  byTimer(t, seen.abortedAfterMs)
})

/** Answers early, without closing, while the client goes on uploading. */
async function uploadsOn(t: Tidy, answer: (seen: Seen) => void, piece: number, ms: number) {
  const since = performance.now()
  const { client, seen } = await open(t, PUT, answer)
  const bytes = Buffer.alloc(piece)
  every(t, ms, () => {
    void client.send(bytes)
  })
  await client.waitForResponse()
  return { client, seen, since }
}

function answerInOnData(seen: Seen): void {
  let answered = false
  seen.read((chunk) => {
    if (answered || chunk.byteLength === 0) return
    answered = true
    seen.res.end('early')
  })
}

t.test('after an early answer a slow upload is closed by the timer, and onAborted is not called', async (t) => {
  const { client, seen, since } = await uploadsOn(t, answerInOnData, 10, 200)
  await client.waitForClose(CLOSE_MS)
  byTimer(t, performance.now() - since)
  t.equal(seen.aborted, false)
})

t.test('after an early answer in the handler, without onData, even a fast upload is closed by the timer', async (t) => {
  const { client, since } = await uploadsOn(t, ({ res }) => res.end('early'), 64 * 1024, 20)
  await client.waitForClose(CLOSE_MS)
  byTimer(t, performance.now() - since)
})

t.test(
  'after an early answer with onData registered nothing ends a fast upload: it goes on reaching onData',
  async (t) => {
    const { client, seen } = await uploadsOn(t, answerInOnData, 64 * 1024, 20)
    t.ok(await staysAlive(() => client.isClosed), 'alive')
    t.ok(seen.bytes > 10 * MIB, `${seen.bytes} bytes came to onData after the end`)
  },
)

t.test('an idle keep-alive connection is closed after its response', async (t) => {
  const { client, seen } = await open(t, head('GET', '/'), ({ res }) => res.end('done'))
  await client.waitForResponse()
  await client.waitForClose(CLOSE_MS)
  byTimer(t, performance.now() - seen.born)
  t.equal(client.endedCleanly, true)
})
