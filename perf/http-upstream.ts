/** A service behind a proxy that costs next to nothing, as a program: `http-upstream.js PORT`. `GET /<n>` has n bytes. */

import type { HttpResponse } from 'uWebSockets.js'
import { App, LIBUS_LISTEN_EXCLUSIVE_PORT } from '../gateway/uws/module.js'

const BLOCK = Buffer.alloc(1024 * 1024, 'x')

function give(res: HttpResponse, bytes: number): void {
  res.onAborted(() => {})
  const more = (): boolean => {
    for (;;) {
      const at = res.getWriteOffset()
      const [ok, done] = res.tryEnd(BLOCK.subarray(0, Math.min(BLOCK.length, bytes - at)), bytes)
      if (done || !ok) return ok
    }
  }
  res.onWritable(more)
  res.cork(() => {
    res.writeHeader('Content-Type', 'application/octet-stream').writeHeader('Cache-Control', 'no-store')
    more()
  })
}

const app = App()
app.any('/*', (res, req) => {
  if (req.getMethod() === 'get') {
    give(res, Number(req.getUrl().slice(1)))
    return
  }
  res.onAborted(() => {})
  res.onData((_chunk, last) => {
    if (last) res.end('taken')
  })
})
app.listen('127.0.0.1', Number(process.argv[2]), LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
  if (socket === false) process.exit(1)
})
