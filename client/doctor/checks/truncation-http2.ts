import http2, { type ClientHttp2Session } from 'node:http2'
import { until } from '../call.js'
import { bad, type Check, ok, skip, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const TOLD_MS = 8000

/** A sender that dies in mid-body, and a receiver that speaks HTTP/2. For `https:` only. */
export const truncationHttp2: Check = {
  name: 'truncation-http2',
  async run(chain) {
    const { url, headers, tls } = chain.target
    const session = http2.connect(url.origin, tls ?? {})
    try {
      if (!(await isReady(session))) return skip('the server does not speak HTTP/2')
      const name = chain.name('http2')
      const receiver = session.request({ ...headers, ':path': `${chain.paths[0]}${name}` })
      const seen = { bytes: 0, isOver: false, isBroken: false }
      receiver.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
      receiver.on('error', () => (seen.isBroken = true))
      receiver.on('aborted', () => (seen.isBroken = true))
      receiver.on('close', () => (seen.isOver = true))
      const sender = chain.send(name, undefined)
      await sender.write('x'.repeat(1000))
      await until(() => seen.bytes > 0 || seen.isOver, FLOW_MS)
      if (seen.bytes === 0) throw new Error(`no bytes flow: ${sender.status ?? 'no answer'} ${sender.lastLine}`)
      const from = performance.now()
      sender.leave()
      const isTold = await until(() => seen.isOver, TOLD_MS)
      const ms = Math.round(performance.now() - from)
      if (isTold && seen.isBroken)
        return ok(`a receiver over HTTP/2 whose sender dies sees a break after ${time(ms)}`, { ms })
      const what = isTold ? 'gets a part as if it were all' : `is not told within ${time(TOLD_MS)}`
      const means = 'Half a file looks like a whole one, to clients that speak HTTP/2.'
      const mend = isTold ? REMEDIES.truncationHttp2 : REMEDIES.left
      return bad('fail', `a receiver over HTTP/2 whose sender dies ${what}`, means, mend, { ms: isTold ? ms : null })
    } finally {
      session.destroy()
    }
  },
}

/** A server that does not speak it closes the connection, or says so by ALPN. */
async function isReady(session: ClientHttp2Session): Promise<boolean> {
  let state: 'open' | 'over' | undefined
  session.once('connect', () => (state ??= 'open')).on('error', () => (state = 'over'))
  session.on('close', () => (state = 'over'))
  await until(() => state !== undefined, FLOW_MS)
  return state === 'open' && session.alpnProtocol === 'h2'
}
