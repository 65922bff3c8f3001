/** How uWebSockets.js moves bytes: backpressure, corks, aborts, early answers, and what runs inside of what. */

import type { HttpResponse } from 'uWebSockets.js'
import { readSync } from 'node:fs'
import { connect as tcpConnect } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { connect, type RawClient } from '../support/raw.js'
import { Desk, head, pattern, type Seen, type Served, serve, type Tidy } from './app.js'

const MIB = 1024 * 1024
// More than the kernel holds for a receiver that does not read: about 4 MiB on loopback.
const LARGE = pattern(16 * MIB)

interface Held {
  readonly served: Served
  readonly desk: Desk
}

/** Every request waits at the desk, its body read by `each` or by nobody. */
async function hold(t: Tidy, each: (seen: Seen) => void = () => {}): Promise<Held> {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any('/*', desk.handler(each))
  })
  return { served, desk }
}

/** A client that sent a request and does not read. */
async function stalled(t: Tidy, served: Served, request: string, keep = false): Promise<RawClient> {
  const client = await connect({ port: served.port, pauseOnConnect: true, keep })
  t.teardown(() => client.destroy())
  await client.send(request)
  return client
}

t.jobs = 4

/** curl has a running download of which it printed `half`. */
async function halfWay(t: Tidy, write: (res: HttpResponse) => void) {
  const { served, desk } = await hold(t)
  const run = curl(['-N', `http://127.0.0.1:${served.port}/file`])
  t.teardown(() => run.kill())
  const seen = await desk.arrival('/file')
  seen.res.cork(() => write(seen.res))
  await run.waitFor('half')
  return { run, res: seen.res }
}

t.test('close() in the middle of a body makes curl fail with 18, whatever the framing', async (t) => {
  const sized = await halfWay(t, (res) => res.tryEnd('half', 8))
  sized.res.close()
  t.equal((await sized.run.result).code, 18)
  const chunked = await halfWay(t, (res) => res.write('half'))
  chunked.res.close()
  t.equal((await chunked.run.result).code, 18)
})

t.test('end() of a chunked response looks complete to curl, whatever was meant to follow', async (t) => {
  const { run, res } = await halfWay(t, (res) => res.write('half'))
  res.cork(() => res.end())
  t.equal((await run.result).code, 0)
})

t.test('curl shows an early 400 to an upload, answered in the handler, in onData or during a pause', async (t) => {
  const refuse = (res: HttpResponse) => res.cork(() => res.writeStatus('400 Bad Request').end('refused'))
  const answers: Record<string, (seen: Seen) => void> = {
    handler: ({ res }) => refuse(res),
    onData: (seen) => {
      let refused = false
      seen.read((chunk) => {
        if (refused || chunk.byteLength === 0) return
        refused = true
        refuse(seen.res)
      })
    },
    pause: (seen) => {
      let refused = false
      seen.read(() => {
        if (refused) return
        seen.res.pause()
        if (seen.calls.length === 1) {
          setTimeout(() => {
            refused = true
            refuse(seen.res)
          }, 200)
        }
      })
    },
  }
  for (const [name, answer] of Object.entries(answers)) {
    const { served } = await hold(t, answer)
    for (const input of [LARGE.subarray(0, 10_000), LARGE]) {
      for (const how of [
        ['-T', '-'],
        ['-X', 'PUT', '--data-binary', '@-'],
      ]) {
        const done = await curlDone([...how, '-w', '|%{http_code}', `http://127.0.0.1:${served.port}/up`], { input })
        t.same([done.code, done.stdout.toString()], [0, 'refused|400'], `${name}, ${input.length} bytes, ${how[0]}`)
      }
    }
  }
})

const EARLY = 'b'.repeat(20_000)

/** Whether a client that reads only 20 ms after it wrote gets the whole early answer. */
async function getsEarlyAnswer(t: Tidy, request: string, upload: Buffer, close: boolean): Promise<boolean> {
  const { served } = await hold(t, ({ res }) => {
    res.cork(() => res.writeStatus('400 Bad Request').end(EARLY, close))
  })
  const client = await connect({ port: served.port, pauseOnConnect: true })
  await client.send(request)
  void client.send(upload)
  await sleep(20)
  client.resume()
  await eventually(
    () => client.isClosed || client.text.endsWith(EARLY) || `no end, and ${client.receivedBytes} bytes arrived`,
  )
  const whole = client.text.startsWith('HTTP/1.1 400 ') && client.text.endsWith(EARLY)
  client.destroy()
  served.close()
  return whole
}

const UPLOAD = head('PUT', '/', 'Content-Length: 100000000')

t.test('the whole early answer arrives: closing without a body in flight, not closing with one', async (t) => {
  const nothing = Buffer.alloc(0)
  let whole = 0
  for (let i = 0; i < 40; i++) {
    if (await getsEarlyAnswer(t, head('GET', '/'), nothing, true)) whole++
    if (await getsEarlyAnswer(t, `${head('PUT', '/', 'Content-Length: 3')}abc`, nothing, true)) whole++
    if (await getsEarlyAnswer(t, UPLOAD, LARGE.subarray(0, 6 * MIB), false)) whole++
  }
  t.equal(whole, 120)
})

t.test('closing with a body in flight can lose the early answer', async (t) => {
  // The kernel answers what is still underway with RST. A client that meets it before it read has lost the answer.
  let lost = 0
  for (let i = 0; i < 20; i++) {
    if (!(await getsEarlyAnswer(t, UPLOAD, LARGE.subarray(0, 6 * MIB), true))) lost++
  }
  t.ok(lost > 0, `${lost} of 20`)
})

t.test('after end() the rest of the body still comes to onData, and a response handle throws', async (t) => {
  const { served, desk } = await hold(t, (seen) => {
    let ended = false
    seen.read((chunk) => {
      if (ended || chunk.byteLength === 0) return
      ended = true
      seen.res.end('early')
    })
  })
  const client = await connect(served)
  await client.send(`${head('PUT', '/', 'Content-Length: 100')}abc`)
  await client.waitForResponse()
  const seen = await desk.arrival('/')
  t.equal(seen.bytes, 3)
  await client.send('de')
  await seen.untilBytes(5)
  t.throws(() => seen.res.pause(), /must not be accessed after/, 'so it can neither be paused nor closed')
  t.throws(() => seen.res.close(), /must not be accessed after/)
  client.destroy()
  await client.closed
  t.equal(seen.aborted, false, 'and its end is not reported')
})

t.test('with write() the write offset stays 0', async (t) => {
  const { served, desk } = await hold(t)
  const client = await connect(served)
  await client.send(head('GET', '/'))
  const { res } = await desk.arrival('/')
  res.cork(() => res.write('abc'))
  t.equal(res.getWriteOffset(), 0)
  await client.waitFor('abc')
  client.destroy()
})

t.test(
  'getWriteOffset() before and after tryEnd() tells exactly what was taken, also inside onData of another request',
  async (t) => {
    const total = LARGE.length
    const { served, desk } = await hold(t)
    const receiver = await stalled(t, served, head('GET', '/receiver'))
    const target = await desk.arrival('/receiver')
    const odd: string[] = []
    let sent = 0
    let partial = 0
    let done = false
    const push = (): boolean => {
      const before = target.res.getWriteOffset()
      const [ok, finished] = target.res.tryEnd(LARGE.subarray(sent), total)
      if (finished) {
        done = true
        return true
      }
      const taken = target.res.getWriteOffset() - before
      if (before !== sent || ok || taken < 0 || taken >= total - sent) odd.push(`${before} ${sent} ${taken} ${ok}`)
      sent += taken
      partial++
      return false
    }
    target.res.onWritable((offset) => {
      if (offset !== sent) odd.push(`onWritable(${offset}) with ${sent} sent`)
      return push()
    })
    const source = await hold(t, (seen) => {
      seen.read((chunk) => {
        if (chunk.byteLength > 0) push()
      })
    })
    const sender = await connect(source.served)
    await sender.send(`${head('PUT', '/', 'Content-Length: 100')}go`)
    await eventually(() => partial === 1 || 'onData did not run')
    receiver.resume()
    await eventually(() => done || `${sent} of ${total} bytes were taken`)
    await eventually(() => receiver.receivedBytes > total || `${receiver.receivedBytes} bytes arrived`)
    t.same(odd, [])
    t.ok(partial > 1, `${partial} partial writes`)
    sender.destroy()
  },
)

t.test('with onWritable registered nothing drains by itself: an empty cork or a write flushes', async (t) => {
  const { served, desk } = await hold(t)
  for (const [name, flush] of [
    ['an empty cork', (res: HttpResponse) => res.cork(() => {})],
    ['a write', (res: HttpResponse) => res.cork(() => res.write('x'))],
  ] as const) {
    const path = `/${name.replaceAll(' ', '-')}`
    const client = await stalled(t, served, head('GET', path))
    const { res } = await desk.arrival(path)
    let calls = 0
    res.onWritable(() => {
      calls++
      return true
    })
    let ok = true
    res.cork(() => {
      ok = res.write(LARGE)
    })
    t.equal(ok, false, 'more than the kernel takes')
    client.resume()
    await eventually(() => calls === 1 || 'onWritable was not called')
    const before = await steady(client)
    t.ok(before < LARGE.length, `${before} bytes arrived`)
    t.equal(calls, 1, 'and it is not called again')
    flush(res)
    await eventually(() => client.receivedBytes > before || `nothing moved after ${name}`)
    // Every flush goes as far as the kernel has room; an onWritable that flushes gets all of it out.
    res.onWritable(() => {
      flush(res)
      return true
    })
    flush(res)
    await eventually(() => client.receivedBytes > LARGE.length || `${client.receivedBytes} bytes arrived`)
    client.destroy()
  }
})

/** The number of bytes once none came for a while. For asserting that something stands still, the only wait there is. */
async function steady(client: RawClient): Promise<number> {
  let last = -1
  let since = performance.now()
  await eventually(() => {
    if (client.receivedBytes !== last) {
      last = client.receivedBytes
      since = performance.now()
    }
    return performance.now() - since > 700 || 'bytes still arrive'
  })
  return last
}

t.test('without onWritable the rest drains by itself', async (t) => {
  const { served, desk } = await hold(t)
  const client = await stalled(t, served, head('GET', '/'))
  const { res } = await desk.arrival('/')
  res.cork(() => res.write(LARGE))
  client.resume()
  await eventually(() => client.receivedBytes > LARGE.length || `${client.receivedBytes} bytes arrived`)
})

t.test('onWritable comes when there is room, not when all is gone, and once for each write that failed', async (t) => {
  const { served, desk } = await hold(t)
  const client = await stalled(t, served, head('GET', '/'))
  const { res } = await desk.arrival('/')
  let calls = 0
  let failed = 0
  let arrivedAtFirstCall = -1
  const write = (bytes: Buffer | string): void => {
    if (!res.write(bytes)) failed++
  }
  res.onWritable(() => {
    calls++
    if (arrivedAtFirstCall < 0) arrivedAtFirstCall = client.receivedBytes
    write('x')
    return true
  })
  res.cork(() => write(LARGE))
  t.equal(failed, 1)
  client.resume()
  await eventually(() => client.receivedBytes > LARGE.length || `${client.receivedBytes} bytes arrived`)
  await eventually(() => calls === failed || `${calls} calls, ${failed} failed writes`)
  t.ok(arrivedAtFirstCall < LARGE.length, `${arrivedAtFirstCall} bytes had arrived at the first call`)
  await steady(client)
  t.equal(calls, failed, 'after a write that succeeded it is not called again')
})

t.test('onWritable is never called from inside write(), tryEnd() or cork()', async (t) => {
  const { served, desk } = await hold(t)
  const client = await stalled(t, served, head('GET', '/chunked'))
  const { res } = await desk.arrival('/chunked')
  let inside = ''
  const nested: string[] = []
  let calls = 0
  const within = (name: string, run: () => void) => {
    inside = name
    run()
    inside = ''
  }
  res.onWritable(() => {
    calls++
    if (inside !== '') nested.push(inside)
    within('write in onWritable', () => res.write('x'))
    return true
  })
  within('cork', () => res.cork(() => res.write(LARGE)))
  client.resume()
  // Corks and writes while the client drains: each of them finds room in the kernel again and again.
  await eventually(() => {
    within('cork', () => res.cork(() => res.write('y')))
    return client.receivedBytes > LARGE.length || `${client.receivedBytes} bytes arrived`
  })
  t.ok(calls > 0)

  const second = await stalled(t, served, head('GET', '/sized'))
  const sized = (await desk.arrival('/sized')).res
  let finished = false
  const push = (offset: number) =>
    within('tryEnd', () => {
      finished = sized.tryEnd(LARGE.subarray(offset), LARGE.length)[1]
    })
  sized.onWritable((offset) => {
    calls++
    if (inside !== '') nested.push(inside)
    push(offset)
    return true
  })
  sized.cork(() => push(0))
  second.resume()
  await eventually(() => finished || 'tryEnd did not finish')
  t.same(nested, [])
})

t.test(
  'close() runs onAborted before it returns, from every place, and nothing is called on that response again',
  async (t) => {
    const places: Record<string, (seen: Seen, run: () => void) => void> = {
      handler: (_seen, run) => run(),
      immediate: (_seen, run) => setImmediate(run),
      'own cork': ({ res }, run) => setImmediate(() => res.cork(run)),
      'own cork, after a write': ({ res }, run) =>
        setImmediate(() =>
          res.cork(() => {
            res.write('lost')
            run()
          }),
        ),
      'first onData': (seen, run) => {
        seen.read(() => run())
      },
      'onData with bytes': (seen, run) => {
        seen.read((chunk) => {
          if (chunk.byteLength > 0) run()
        })
      },
      onWritable: ({ res }, run) => {
        res.onWritable(() => {
          run()
          return true
        })
        setImmediate(() => res.cork(() => res.tryEnd(LARGE, LARGE.length)))
      },
    }
    for (const [name, arrange] of Object.entries(places)) {
      let runs = 0
      let abortedInside = false
      const { served, desk } = await hold(t, (seen) => {
        arrange(seen, () => {
          runs++
          seen.res.close()
          abortedInside = seen.aborted
        })
      })
      const client = await connect({ port: served.port, keep: false })
      await client.send(`${head('PUT', '/', 'Content-Length: 100')}`)
      await client.send('abc')
      const seen = await desk.arrival('/')
      await seen.untilAborted()
      await client.waitForClose()
      t.same([runs, abortedInside], [1, true], name)
      t.throws(() => seen.res.write('x'), /must not be accessed after/)
      if (name === 'own cork, after a write') t.equal(client.receivedBytes, 0, 'what the cork held is lost')
    }
  },
)

t.test('a client that sends FIN after its request is aborted at once: half-closing is not supported', async (t) => {
  const { served, desk } = await hold(t, (seen) => seen.read())
  const requests: Record<string, string> = {
    '/get': head('GET', '/get'),
    '/sized': `${head('PUT', '/sized', 'Content-Length: 3')}abc`,
    '/chunked': `${head('PUT', '/chunked', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
  }
  for (const [path, request] of Object.entries(requests)) {
    const client = await connect(served)
    await client.send(request)
    const seen = await desk.arrival(path)
    await seen.untilLast()
    client.halfClose()
    await seen.untilAborted(2_000)
    await client.waitForClose()
    t.equal(client.receivedBytes, 0, path)
  }
})

t.test('a FIN during a download aborts it at once, even when the client could still read', async (t) => {
  const { served, desk } = await hold(t)
  for (const [path, start] of [
    ['/sized', (res: HttpResponse) => res.tryEnd(LARGE, LARGE.length)],
    ['/chunked', (res: HttpResponse) => res.write(LARGE)],
  ] as const) {
    const client = await stalled(t, served, head('GET', path))
    const seen = await desk.arrival(path)
    seen.res.onWritable(() => true)
    seen.res.cork(() => start(seen.res))
    client.halfClose()
    await seen.untilAborted(2_000)
    client.resume()
    await client.waitForClose()
    t.ok(client.receivedBytes < LARGE.length, `${client.receivedBytes} bytes arrived`)
  }
})

t.test('once its whole body was read, the death of a sender is seen at once', async (t) => {
  const { served, desk } = await hold(t, (seen) => seen.read())
  for (const [path, leave] of [
    ['/fin', (client: RawClient) => client.destroy()],
    ['/rst', (client: RawClient) => client.reset()],
  ] as const) {
    const client = await connect(served)
    await client.send(`${head('PUT', path, 'Content-Length: 3')}abc`)
    const seen = await desk.arrival(path)
    await seen.untilLast()
    leave(client)
    await seen.untilAborted(2_000)
  }
  t.pass('both were reported')
})

/** A client that node never reads from: `arrived()` asks the kernel itself, so it works inside a callback of the server. */
async function kernelReader(t: Tidy, served: Served, request: string) {
  const socket = tcpConnect({ port: served.port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  socket.pause()
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.write(request)
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  const buffer = Buffer.alloc(64 * 1024)
  const arrived = (): string => {
    try {
      return buffer.toString('latin1', 0, readSync(fd, buffer))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return ''
      throw error
    }
  }
  /** Waits without giving the event loop a turn. */
  const arrivedSoon = (): string => {
    const deadline = performance.now() + 2_000
    const sleeper = new Int32Array(new SharedArrayBuffer(4))
    for (;;) {
      const text = arrived()
      if (text !== '' || performance.now() > deadline) return text
      Atomics.wait(sleeper, 0, 0, 1)
    }
  }
  return { arrived, arrivedSoon }
}

t.test('outside of a callback, cork() holds everything back and sends it as one piece', async (t) => {
  const { served, desk } = await hold(t)
  const reader = await kernelReader(t, served, head('GET', '/'))
  const { res } = await desk.arrival('/')
  await nextTurn()
  let inside = ''
  res.cork(() => {
    res.writeStatus('200 OK').writeHeader('X', 'y')
    res.write('abc')
    inside = reader.arrived()
  })
  t.equal(inside, '')
  t.match(reader.arrivedSoon(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*3\r\nabc$/)
})

t.test(
  'inside the handler and onData of one request another response cannot be corked: its pieces leave one by one',
  async (t) => {
    const { served, desk } = await hold(t)
    for (const place of ['handler', 'onData']) {
      const path = `/${place}`
      const reader = await kernelReader(t, served, head('GET', path))
      const { res } = await desk.arrival(path)
      await nextTurn()
      const pieces: string[] = []
      const start = () =>
        res.cork(() => {
          res.writeStatus('200 OK')
          pieces.push(reader.arrivedSoon())
          res.writeHeader('X', 'y')
          pieces.push(reader.arrivedSoon())
        })
      const other = await hold(t, (seen) => {
        if (place === 'handler') start()
        else seen.read((chunk) => chunk.byteLength > 0 && start())
      })
      const client = await connect(other.served)
      await client.send(`${head('PUT', '/', 'Content-Length: 3')}abc`)
      await eventually(() => pieces.length === 2 || `${place} did not run`)
      t.match(pieces[0], /^HTTP\/1\.1/, `${place}: the status line left inside the cork`)
      t.not(pieces[1], '', `${place}: and so did the header`)
      client.destroy()
    }
  },
)
