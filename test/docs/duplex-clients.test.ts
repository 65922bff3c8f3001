/** The page and the program of docs/duplex.md, as they stand there: they talk with each other, and are told how it ended. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Plugin } from '../../gateway/host/plugin-api.js'
import cors from '../../plugins/cors/index.js'
import { Chromium } from '../support/browser.js'
import { curl } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { type Running, startGateway } from '../support/gateway.js'
import { listenOnLoopback } from '../support/loopback.js'
import { readProject } from '../support/project.js'
import { examplesOf } from './examples.js'

const chromium = await Chromium.start(t)

/** Programs have to start. */
const PATIENT = { timeoutMs: 30_000 }

function example(id: string, gateway: Running): string {
  const found = examplesOf(readProject('docs/duplex.md')).find((each) => each.id === id)
  if (found === undefined) throw new Error(`docs/duplex.md has no example ${id}`)
  return found.text.replace('ws://127.0.0.1:8080', gateway.origin.replace('http', 'ws'))
}

/** The program, and what it has printed. */
function program(t: Test, gateway: Running) {
  const file = join(t.testdir(), 'talk.mjs')
  writeFileSync(file, example('duplex-node', gateway))
  // Node.js 20 has WebSocket behind this flag; later ones take it as well.
  const child = spawn(process.execPath, ['--experimental-websocket', file], { stdio: 'pipe' })
  t.teardown(() => child.kill())
  const run = { child, text: '', ended: once(child, 'close') }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (run.text += data))
  return run
}

const peers = (gateway: Running, wanted: number) =>
  eventually(() => gateway.gateway.table.get('talk')?.duplex?.peers === wanted || `not ${wanted} peers`, PATIENT)

t.test('the page and the program talk, and the program says goodbye', async (t) => {
  let html = ''
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html))
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const plugins = [{ plugin: cors as unknown as Plugin, config: { origins: [origin] } }]
  const gateway = await startGateway(t, {}, { plugins })
  html = example('duplex-page', gateway).replace('<!doctype html>', '<!doctype html><link rel="icon" href="data:,">')
  const { page } = await chromium.open(t)
  await page.goto(origin)
  await peers(gateway, 1)
  const run = program(t, gateway)
  await peers(gateway, 2)
  const shows = (text: string) =>
    eventually(async () => (await page.textContent('pre')) === text || `not ${text}`, PATIENT)
  run.child.stdin.write('from the program\n')
  await shows('from the program\n')
  await page.fill('input', 'from the page')
  await page.press('input', 'Enter')
  await eventually(() => run.text === 'from the page\n' || `it shows ${run.text}`, PATIENT)
  run.child.stdin.end()
  await shows('from the program\nclosed: 1000 bye\n')
  t.same(await run.ended, [0, null])
})

t.test('the program and curl: bytes, and a peer that vanishes', async (t) => {
  const gateway = await startGateway(t)
  const run = program(t, gateway)
  await peers(gateway, 1)
  const other = curl(['-sN', '-X', 'PUT', '-T', '.', gateway.url('talk?duplex')])
  await peers(gateway, 2)
  run.child.stdin.write('one\n')
  await other.waitFor('one')
  other.kill()
  t.same(await run.ended, [1, null])
  t.equal(run.text, 'closed: 1011 Peer disconnected.\n')
})
