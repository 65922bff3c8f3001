/** A write that does not fit into the cork buffer loses bytes when the kernel is full: what the framing of bodies avoids. */
import type { HttpResponse } from 'uWebSockets.js'
import t from 'tap'
import { connect } from '../../support/raw.js'
import { amount } from '../../support/thorough.js'
import { head, serve, type Tidy } from '../app.js'

const MIB = 1024 * 1024
const TOTAL = amount(16, 64) * MIB
/** Enough that the kernel is full at some time also on a busy machine. It ends as soon as the framing is broken. */
const UNTIL_BROKEN = 512 * MIB
/** What is left of the cork buffer of 16 KiB for the data of one chunk. */
const ROOM = 16 * 1024 - 16

/** One round of writes inside of one cork. Returns what the last write said. */
type Round = (res: HttpResponse) => boolean

/** Sends all of it in such rounds to a client that reads in fits and starts; returns how much arrived in a sound framing. */
async function arrived(t: Tidy, total: number, bytesOfRound: number, round: Round): Promise<number> {
  const served = await serve(t, (app) => {
    app.any('/*', (res) => {
      let sent = 0
      let gone = false
      res.onAborted(() => {
        gone = true
      })
      const go = (): boolean => {
        let ok = true
        while (ok && !gone && sent < total) {
          res.cork(() => {
            ok = round(res)
          })
          sent += bytesOfRound
        }
        if (sent >= total && ok && !gone) {
          gone = true
          res.cork(() => res.end())
        }
        return ok
      }
      const probe = (): boolean => {
        let ok = true
        // Small, so that what uWebSockets kept is gone when it says yes.
        if (!gone) res.cork(() => (ok = res.write('probe')))
        if (ok) setImmediate(go)
        return ok
      }
      res.onWritable(probe)
      setImmediate(go)
    })
  })
  const client = await connect({ port: served.port })
  const fits = setInterval(() => {
    client.pause()
    setTimeout(() => client.resume(), 2)
  }, 4)
  t.teardown(() => clearInterval(fits))
  await client.send(head('GET', '/'))
  for (;;) {
    try {
      const response = await client.waitForResponse({ timeoutMs: 200 })
      return response.body.toString('latin1').replaceAll('probe', '').length
    } catch (error) {
      // Not complete yet is not broken.
      if (!/the body is not complete|no complete head/.test(String(error))) return -1
    }
  }
}

t.test('a cork that holds 15 000 bytes and is given 48 KiB more breaks the framing', async (t) => {
  const small = Buffer.alloc(15_000, 's')
  const large = Buffer.alloc(48 * 1024, 'L')
  const found = await arrived(t, UNTIL_BROKEN, small.length + large.length, (res) => {
    res.write(small)
    return res.write(large)
  })
  t.equal(found, -1, 'the client cannot read it')
})

t.test('a cork that is given no more than it holds keeps every byte', async (t) => {
  const piece = Buffer.alloc(ROOM, 'p')
  const found = await arrived(t, TOTAL, ROOM, (res) => res.write(piece))
  t.equal(found, Math.ceil(TOTAL / ROOM) * ROOM)
})
