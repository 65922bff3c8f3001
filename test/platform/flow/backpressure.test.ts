/** Backpressure of uWebSockets.js: write offsets, and when onWritable comes. */

import type { HttpResponse } from 'uWebSockets.js'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { connect, type RawClient } from '../../support/raw.js'
import { head, pattern } from '../app.js'
import { hold, stalled } from './held-responses.js'

const MIB = 1024 * 1024
// More than the kernel holds for a receiver that does not read: about 4 MiB on loopback.
const LARGE = pattern(16 * MIB)

t.jobs = 4

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
