/** Answers of uWebSockets.js to a client that is still uploading, and ends of a response as curl sees them. */

import type { HttpResponse } from 'uWebSockets.js'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { connect } from '../../support/raw.js'
import { head, pattern, type Seen, type Tidy } from '../app.js'
import { hold } from './held-responses.js'

const MIB = 1024 * 1024
// More than the kernel holds for a receiver that does not read: about 4 MiB on loopback.
const LARGE = pattern(16 * MIB)

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
