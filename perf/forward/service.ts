/** What is at both ends of a tunnel in the lane `forward`. */

import { connect, createServer, type Socket } from 'node:net'

/** A service that takes what comes, and sends back each piece of a connection that begins with `e`. */
export async function startService(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    let taken = 0
    socket.once('data', (first) => {
      const isEcho = first[0] === ECHO
      const answer = (chunk: Buffer) => {
        taken += chunk.length
        if (isEcho) socket.write(chunk)
      }
      answer(first)
      socket.on('data', answer)
    })
    // How much has come is the answer to the end of it.
    socket.on('end', () => socket.end(taken === 0 ? '' : `${taken}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const ECHO = 'e'.charCodeAt(0)

/** Sends so many bytes, and resolves with the seconds until the service has all of them. */
export async function bulk(port: number, bytes: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const answer = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (part) => {
      text += part
    })
    socket.once('end', () => resolve(text)).once('error', reject)
  })
  const piece = Buffer.alloc(1 << 18, 'b')
  const beganAt = performance.now()
  for (let left = bytes; left > 0; left -= piece.length) {
    const chunk = left < piece.length ? piece.subarray(0, left) : piece
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.end()
  const taken = await answer
  if (taken !== `${bytes}`) throw new Error(`${bytes} bytes were sent, and the service has ${taken || 'none'}`)
  return (performance.now() - beganAt) / 1000
}

/** Sends `times` pieces of 64 bytes, each when the one before is back, and resolves with the microseconds that each of them took. */
export async function roundTrips(port: number, times: number): Promise<number[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const piece = Buffer.alloc(64, ECHO)
  const took: number[] = []
  let back: (() => void) | undefined
  let got = 0
  socket.on('data', (chunk) => {
    got += chunk.length
    if (got % piece.length === 0) back?.()
  })
  const failed = new Promise<never>((_, reject) =>
    socket.once('error', reject).once('end', () => reject(new Error('cut'))),
  )
  failed.catch(() => {})
  for (let i = 0; i < times; i++) {
    const answer = new Promise<void>((resolve) => {
      back = resolve
    })
    const sentAt = performance.now()
    socket.write(piece)
    await Promise.race([answer, failed])
    took.push((performance.now() - sentAt) * 1000)
  }
  socket.destroy()
  return took
}
