/** The plugins of examples/, as an operator loads them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { PROJECT, startProgram } from '../support/program.js'

const exampleOf = (name: string) => join(PROJECT, 'examples/plugins', name, 'index.mjs')

/** Starts the program with one example. */
function start(t: Test, name: string, config: object = {}) {
  const yaml = JSON.stringify({ plugins: [{ plugin: exampleOf(name), config }] })
  return startProgram(t, ['--config', join(t.testdir({ 'pipegate.yaml': yaml }), 'pipegate.yaml')])
}

/** A service of the operator. */
async function service(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/may`
}

async function transfer(program: { url(name: string): string }, name: string, headers: readonly string[] = []) {
  const receiver = curl([...headers, program.url(name)])
  const sender = await curlDone([...headers, '-d', 'hello', program.url(name)])
  return { received: (await receiver.result).stdout.toString(), told: sender.stdout.toString() }
}

t.test('ask-http lets pass whom the service lets pass', async (t) => {
  const asked: string[] = []
  const url = await service(t, (request, response) => {
    asked.push(request.url!)
    response.writeHead(request.headers.authorization === 'Bearer good' ? 200 : 401).end()
  })
  const program = await start(t, 'ask-http', { url })
  t.equal((await transfer(program, 'jobs', ['-H', 'Authorization: Bearer good'])).received, 'hello')
  t.same(asked.sort(), ['/may?side=receiver&name=jobs', '/may?side=sender&name=jobs'])
  const refused = await curlDone(['-w', '%{http_code}', '-d', 'x', program.url('jobs')])
  t.equal(refused.stdout.toString(), '[ERROR] You may not be a sender on this name. Ask the operator for access.\n403')
})

t.test('ask-http lets nobody in while the service is down', async (t) => {
  const program = await start(t, 'ask-http', { url: 'http://127.0.0.1:1/may' })
  const refused = await curlDone(['-w', '%{http_code}', program.url('jobs')])
  t.match(refused.stdout.toString(), /Nobody can say whether you may.[\s\S]*503$/)
})

t.test('webhook tells how a transfer ended', async (t) => {
  const posts: { reason: string; complete: boolean; bytes: number; name: string }[] = []
  const url = await service(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    posts.push(JSON.parse(body))
    response.end()
  })
  const program = await start(t, 'webhook', { url })
  await transfer(program, 'jobs')
  await eventually(() => posts.length === 1 || 'nothing was posted')
  t.match(posts[0], { name: 'jobs', reason: 'complete', complete: true, bytes: 5 })
})

t.test('guestbook has a path and a parameter', async (t) => {
  const program = await start(t, 'guestbook', { keep: 2 })
  for (const name of ['a', 'b', 'c']) await transfer(program, name)
  t.equal((await curlDone([program.url('guests')])).stdout.toString(), 'c complete 5\nb complete 5\n')
  t.equal((await curlDone([program.url('b?guests')])).stdout.toString(), 'b complete 5\n')
  t.equal((await curlDone([program.url('a?guests')])).stdout.toString(), '')
})
