/** Piping Server on the other side: an older program that knows names and bytes, and no digest, status or wait. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { type Desks, desks, tree } from './rig.js'

t.setTimeout(300_000)

async function withPipingServer(
  t: Test,
): Promise<Desks & { readonly origin: string; readonly asked: readonly string[] }> {
  const { Server } = createRequire(import.meta.url)('piping-server')
  const handler = new Server({}).generateHandler(false)
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    handler(request, response)
  })
  // What it promises itself.
  server.requestTimeout = 0
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${port}`
  return { ...desks(t, origin), origin, asked }
}

t.test('files, folders and text, in either order', async (t) => {
  const { here, there, send, receive, asked } = await withPipingServer(t)
  mkdirSync(join(here, 'd'))
  writeFileSync(join(here, 'd', 'a'), Buffer.alloc(5_000_000, 'a'))
  const sender = send('d', '--name', 'x')
  await sender.says(/waiting for receivers/)
  const received = await receive('x').ends()
  t.equal(received.code, 0, received.text)
  t.notMatch(received.text, /verified/, 'there is nothing to compare')
  t.equal((await sender.ends()).code, 0, sender.text)
  t.same(tree(there), tree(here))

  const receiver = receive('y')
  await eventually(() => asked.some((line) => line.startsWith('GET /y')) || 'it has not asked')
  const [text] = await Promise.all([send('-t', 'hello', '--name', 'y').ends(), receiver.ends()])
  t.equal(text.code, 0, text.text)
  t.equal(receiver.exit?.stdout.toString(), 'hello')
})

t.test('its receivers that leave are a failure, though it calls them information', async (t) => {
  const { here, send, origin } = await withPipingServer(t)
  writeFileSync(join(here, 'big'), Buffer.alloc(80_000_000))
  const sender = send('big', '--name', 'x')
  const got = curl(['-N', '--limit-rate', '100k', `${origin}/x`])
  await sender.says(/streaming/)
  got.kill()
  const sent = await sender.ends()
  t.equal(sent.code, 1, sent.text)
  t.match(sent.text, /All receivers disconnected before transfer completed|Connection lost/)
})

t.test('no question of ours takes the place of a receiver', async (t) => {
  const { send, asked, origin } = await withPipingServer(t)
  const sender = send('-t', 'for curl', '--name', 'x')
  await eventually(() => asked.includes('HEAD /x?status') || `asked: ${asked}`, { timeoutMs: 60_000 })
  const got = await curlDone([`${origin}/x`])
  t.equal(got.stdout.toString(), 'for curl')
  t.equal((await sender.ends()).code, 0, sender.text)
  t.notOk(
    asked.some((line) => line.startsWith('GET') && line.includes('status')),
    `${asked}`,
  )
})
