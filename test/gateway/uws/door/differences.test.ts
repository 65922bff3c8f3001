/**
 * The same bytes to nginx, to Node's server and to a gateway. Where the two agree with each other and not with the gateway, there
 * has to be a reason: `DIFFERENCES` has them, and docs/protocol.md tells them.
 */

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Plugin } from '../../../../gateway/host/plugin-api.js'
import { type Case, CORPUS } from '../../../reader/corpus.js'
import { freePort } from '../../../support/free-port.js'
import { startGateway } from '../../../support/gateway.js'
import { listenOnLoopback } from '../../../support/loopback.js'
import { readProject } from '../../../support/project.js'
import { nginxProgram, startProxyProcess } from '../../../support/proxy-process.js'
import { connect, type RawClient, type RawResponse } from '../../../support/raw.js'
import { answersOf, echo, seenBody } from './rig.js'

t.setTimeout(300_000)

/** How long nothing may come before a connection counts as one that waits, in milliseconds. */
const QUIET_MS = 250
/** The same for those that seem to differ. */
const SURELY_QUIET_MS = 3000
const AT_ONCE = 24

/** By the reason that docs/protocol.md gives: the cases in which the gateway is alone. */
const DIFFERENCES: Readonly<Record<string, readonly RegExp[]>> = {
  'the syntax of `Host`': [/^Host /, /^a URI with (a long port|too long an authority)$/],
  'another expectation than `100-continue`': [/^Expect /],
  'limits on heads, size lines, trailers and the digits of a length': [
    /^a (field too many|head that is too long|line that is too long)$/,
    /^one empty line too many$/,
    /^Content-Length "0{16}3"$/,
    /^(a head|a line|a name|white space) without an end$/,
    /^chunks .*(;a|=b|0;aa|bb|aa|ab:c).*… \d{4,}"$/,
  ],
  'a size of a chunk with more than 32 digits, or of 2^53 and more': [/^chunks "(0{32}3|20{13})\\r\\n/],
  'an extension of a chunk without a name, or without the value of its "="': [/^chunks "3;(;a|=b|a=\\r)/],
  'tabs around a value': [/^Content-Length "3\t"$/, /^Transfer-Encoding "\tchunked\t"$/],
  'methods in lower case, or that nobody knows': [/^a method (in lower case|of all token marks)$/],
  'bytes above ASCII in a target': [/^octets above ASCII$/],
  'a target with a fragment, or of another scheme': [/^a fragment$/, /^a URI of another scheme$/],
  'a bare line break before a request, or two spaces in its line': [
    /^a (carriage return|line feed) in front$/,
    /^two spaces (behind|in front of) the target$/,
  ],
}

/** What has become of a connection: the bodies of requests that were answered, and whether it was refused. */
function verdictOf(client: RawClient): string {
  let answers: RawResponse[]
  try {
    answers = answersOf(client)
  } catch {
    return 'refused'
  }
  const words = answers.map(({ status, body }) => (status === 200 ? body.toString('latin1').trim() : 'refused'))
  const isLast = answers.at(-1)?.headers.connection?.includes('close') === true
  if ((client.endedCleanly || client.isClosed) && !isLast && words.at(-1) !== 'refused') words.push('refused')
  return words.join(' | ') || 'waits'
}

async function tell(port: number, bytes: string, quietMs: number): Promise<string> {
  const client = await connect({ port })
  await client.send(bytes)
  for (let before = -1; before !== client.receivedBytes && !client.endedCleanly && !client.isClosed; ) {
    before = client.receivedBytes
    await Promise.race([sleep(quietMs), client.closed])
  }
  const verdict = verdictOf(client)
  client.destroy()
  return verdict
}

/** Node's server as it comes, but for the size of heads. */
async function startNode(t: Test): Promise<number> {
  const server = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    let body = ''
    request.setEncoding('latin1').on('data', (text) => (body += text))
    request.on('end', () => response.end(seenBody(body)))
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return port
}

/** nginx as it comes, but for the size of heads. It reads all of a body before it forwards it to Node's server. */
async function startNginx(t: Test, upstream: number): Promise<number> {
  const port = await freePort()
  const folder = t.testdir()
  const http = `
  access_log off;
  server {
    listen 127.0.0.1:${port};
    large_client_header_buffers 8 128k;
    location / { proxy_pass http://127.0.0.1:${upstream}; proxy_http_version 1.1; proxy_set_header Host x; proxy_method PUT; }
  }`
  await startProxyProcess(t, nginxProgram(folder, http), () =>
    connect({ port }).then(
      (client) => {
        client.destroy()
        return true
      },
      (error) => `it does not listen: ${error}`,
    ),
  )
  return port
}

t.test('where nginx and Node agree, the gateway does too, or there is a reason', async (t) => {
  const node = await startNode(t)
  const nginx = await startNginx(t, node)
  const { plugin } = echo()
  const { port: gateway } = await startGateway(
    t,
    { hosts: '*' },
    { plugins: [{ plugin: plugin as Plugin, config: {} }] },
  )
  const unlisted: string[] = []
  const met = new Set<string>()
  let agreed = 0
  const compare = async ([name, bytes]: Case, quietMs: number): Promise<void> => {
    const [ofNginx, ofNode, ours] = await Promise.all([nginx, node, gateway].map((port) => tell(port, bytes, quietMs)))
    if (ofNginx !== ofNode) return
    agreed++
    if (ours === ofNode) return
    if (quietMs < SURELY_QUIET_MS) return compare([name, bytes, ''], SURELY_QUIET_MS)
    const reason = Object.entries(DIFFERENCES).find(([, cases]) => cases.some((each) => each.test(name)))?.[0]
    if (reason === undefined) unlisted.push(`${name}: ${ours}, not ${ofNode}`.slice(0, 300))
    else met.add(reason)
  }
  const left = CORPUS.filter(([, , is]) => !is.includes('tunnel'))
  const work = async () => {
    for (let each = left.pop(); each !== undefined; each = left.pop()) await compare(each, QUIET_MS)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  t.comment(`nginx and Node agree in ${agreed} cases`)
  t.same(unlisted.sort(), [], 'no difference without a reason')
  const needless = Object.keys(DIFFERENCES).filter((reason) => !met.has(reason))
  // Other versions of nginx and Node than those that these were found with may have become stricter.
  if (needless.length > 0) t.comment(`no difference any more: ${needless.join('; ')}`)
  const page = readProject('docs/protocol.md')
  for (const reason of Object.keys(DIFFERENCES))
    t.ok(page.includes(`\n| ${reason} |`), `docs/protocol.md says: ${reason}`)
})
