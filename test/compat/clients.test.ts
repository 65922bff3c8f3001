/**
 * The clients that people have: each sends and receives, its bytes are compared, and a transfer that fails is a failure in the
 * client's own way. PowerShell is not among them: it cannot be had where these tests run.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { type CommandResult, command } from '../support/command.js'
import { curlDone } from '../support/curl.js'
import { startDefaultGateway } from '../support/gateway.js'
import { connect } from '../support/raw.js'

interface Outcome {
  readonly failed: boolean
  /** The response's body, as far as it came. */
  readonly body: string
  readonly seen: string
}

interface Client {
  /** Sends a file, and reads the lines. */
  send(url: string, file: string): Promise<Outcome>
  /** Writes what it receives to a file. */
  receive(url: string, file: string): Promise<Outcome>
  /** Notices that fewer bytes came than `Content-Length` says. */
  readonly countsBytes?: false
}

function outcome({ code, stdout, stderr }: CommandResult): Outcome {
  return { failed: code !== 0, body: stdout.toString(), seen: `exit code ${code}: ${stderr}` }
}

const python = async (script: string, ...args: string[]) => outcome(await command('python3', ['-c', script, ...args]))

/** In this process; what is thrown is its failure. */
async function inProcess(run: (note: (text: string) => void) => Promise<void>): Promise<Outcome> {
  let body = ''
  try {
    await run((text) => {
      body += text
    })
    return { failed: false, body, seen: 'it resolved' }
  } catch (error) {
    return { failed: true, body, seen: String(error) }
  }
}

const URLLIB_SEND = `
import sys, urllib.request
with open(sys.argv[2], 'rb') as file:
    request = urllib.request.Request(sys.argv[1], data=file, method='PUT')
    request.add_header('Content-Type', 'application/octet-stream')
    with urllib.request.urlopen(request) as response:
        for line in response:
            sys.stdout.write(line.decode()); sys.stdout.flush()
`
const URLLIB_RECEIVE = `
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as response, open(sys.argv[2], 'wb') as file:
    expected = response.headers.get('Content-Length')
    shutil.copyfileobj(response, file)
    if expected is not None and file.tell() != int(expected):
        sys.exit('fewer bytes than Content-Length')
`
// It is one piece behind what has come, and loses the last one at a cut: with pieces of a byte, that is a line break.
const REQUESTS_SEND = `
import sys, requests
with open(sys.argv[2], 'rb') as file, requests.put(sys.argv[1], data=file, stream=True) as response:
    response.raise_for_status()
    for line in response.iter_content(1):
        sys.stdout.write(line.decode()); sys.stdout.flush()
`
const REQUESTS_RECEIVE = `
import sys, requests
with requests.get(sys.argv[1], stream=True) as response, open(sys.argv[2], 'wb') as file:
    response.raise_for_status()
    for chunk in response.iter_content(65536):
        file.write(chunk)
`

const CLIENTS: Readonly<Record<string, Client>> = {
  curl: {
    send: async (url, file) => outcome(await curlDone(['-N', '--fail', '-T', file, url])),
    receive: async (url, file) => outcome(await curlDone(['--fail', '-o', file, url])),
  },
  'curl, chunked': {
    send: async (url, file) =>
      outcome(await curlDone(['-N', '--fail', '-T', file, '-H', 'Transfer-Encoding: chunked', url])),
    receive: async (url, file) => outcome(await curlDone(['--fail', '-o', file, url])),
  },
  wget: {
    send: async (url, file) => outcome(await command('wget', ['-q', '-t', '1', '-O', '-', '--post-file', file, url])),
    receive: async (url, file) => outcome(await command('wget', ['-q', '-t', '1', '-O', file, url])),
  },
  'Python urllib': {
    send: (url, file) => python(URLLIB_SEND, url, file),
    receive: (url, file) => python(URLLIB_RECEIVE, url, file),
  },
  'Python requests': {
    send: (url, file) => python(REQUESTS_SEND, url, file),
    receive: (url, file) => python(REQUESTS_RECEIVE, url, file),
    // Before its version 2.32 it takes what came for everything.
    countsBytes: false,
  },
  'Node fetch': {
    send: (url, file) =>
      inProcess(async (note) => {
        const body = new Blob([readFileSync(file)])
        const response = await fetch(url, { method: 'POST', body })
        await pipeline(response.body!, async (chunks) => {
          for await (const chunk of chunks) note(Buffer.from(chunk).toString())
        })
      }),
    receive: (url, file) =>
      inProcess(async () => {
        const response = await fetch(url)
        if (!response.ok) throw new Error(`status ${response.status}`)
        writeFileSync(file, Buffer.from(await response.arrayBuffer()))
      }),
  },
  'Node http': {
    send: (url, file) =>
      inProcess(
        (note) =>
          new Promise((resolve, reject) => {
            const asked = request(url, { method: 'PUT' }, (response) => {
              response.on('data', (chunk: Buffer) => note(chunk.toString()))
              response.once('end', resolve)
              response.once('error', reject)
            })
            asked.once('error', reject)
            asked.end(readFileSync(file))
          }),
      ),
    receive: (url, file) =>
      inProcess(
        () =>
          new Promise((resolve, reject) => {
            const asked = request(url, (response) => {
              const chunks: Buffer[] = []
              response.on('data', (chunk: Buffer) => chunks.push(chunk))
              response.once('error', reject)
              response.once('end', () => {
                writeFileSync(file, Buffer.concat(chunks))
                if (response.statusCode === 200) resolve()
                else reject(new Error(`status ${response.statusCode}`))
              })
            })
            asked.once('error', reject)
            asked.end()
          }),
      ),
  },
}

const LINES = [
  '[INFO] Waiting for 1 receiver(s) to connect...',
  '[INFO] 1 receiver(s) already connected.',
  '[INFO] Streaming to 1 receiver(s)...',
  '[INFO] Upload complete.',
  '[INFO] Transfer complete.',
  '',
].join('\n')

// Most of their time they wait.
t.jobs = 4
for (const [name, client] of Object.entries(CLIENTS)) {
  t.test(name, { buffered: true }, async (t) => {
    const dir = t.testdir({})
    const file = join(dir, 'sent')
    const bytes = randomBytes(1_500_000)
    writeFileSync(file, bytes)
    const gw = await startDefaultGateway(t)

    await t.test('from itself to itself', async (t) => {
      const receiving = client.receive(gw.url('own'), join(dir, 'own'))
      await gw.holds(1, 0)
      const sent = await client.send(gw.url('own'), file)
      const received = await receiving
      t.same([sent.failed, received.failed], [false, false], `${sent.seen} ${received.seen}`)
      t.equal(sent.body, LINES)
      t.ok(readFileSync(join(dir, 'own')).equals(bytes), 'the bytes are the same')
    })

    await t.test('to and from curl, the sender first', async (t) => {
      const sending = client.send(gw.url('to-curl'), file)
      await gw.holds(1, 0)
      const got = await curlDone([gw.url('to-curl')])
      t.ok(got.stdout.equals(bytes), `curl got ${got.stdout.length} bytes`)
      t.equal((await sending).failed, false)
      const fromCurl = curlDone(['-T', file, gw.url('from-curl')])
      await gw.holds(1, 0)
      t.equal((await client.receive(gw.url('from-curl'), join(dir, 'from-curl'))).failed, false)
      t.ok(readFileSync(join(dir, 'from-curl')).equals(bytes))
      await fromCurl
    })

    await t.test('a failure is one', async (t) => {
      const nobody = client.send(gw.url('nobody?wait=1'), file)
      const trueStatus = client.send(gw.url('nobody-at-end?wait=1&reply=end'), file)
      const noSender = client.receive(gw.url('no-sender?wait=1'), join(dir, 'none'))
      const cut = async (name: string, framing: string, part: string) => {
        const receiving = client.receive(gw.url(name), join(dir, name))
        const sender = await connect({ port: gw.port })
        await sender.send(`PUT /${name} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n${part}`)
        await sender.waitFor('Streaming to 1')
        sender.destroy()
        return receiving
      }
      const cutChunks = await cut('cut-chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n')
      t.ok(cutChunks.failed, `a chunked stream that is cut: ${cutChunks.seen}`)
      const cutLength = await cut('cut-length', 'Content-Length: 10', 'hello')
      if (client.countsBytes !== false) t.ok(cutLength.failed, `a stream that is too short: ${cutLength.seen}`)
      const failed = await nobody
      t.ok(failed.failed, `nobody received: ${failed.seen}`)
      t.match(failed.body, '[ERROR] Timed out waiting for receivers.')
      if (name !== 'Node fetch' && name !== 'Node http') t.ok((await trueStatus).failed, 'a status of 408')
      await trueStatus
      t.ok((await noSender).failed, 'nobody sent')
    })
  })
}

t.test('fetch streams in both directions, piece by piece', async (t) => {
  const gw = await startDefaultGateway(t)
  const upload = new TransformStream<Uint8Array, Uint8Array>()
  const writer = upload.writable.getWriter()
  const sending = fetch(gw.url('live'), { method: 'PUT', body: upload.readable, duplex: 'half' })
  const reader = (await fetchBody(gw.url('live'), () => writer.write(Buffer.from('piece 0')))).getReader()
  let received = ''
  for (let piece = 0; piece < 5; piece++) {
    if (piece > 0) await writer.write(Buffer.from(`piece ${piece}`))
    // Each piece is here before the next one is written.
    while (!received.endsWith(`piece ${piece}`)) received += Buffer.from((await reader.read()).value!).toString()
  }
  await writer.close()
  t.equal((await reader.read()).done, true)
  t.match(await (await sending).text(), /Transfer complete\.\n$/)
})

/** The body of a stream, once its first bytes are on their way. */
async function fetchBody(url: string, first: () => Promise<void>): Promise<ReadableStream<Uint8Array>> {
  const [response] = await Promise.all([fetch(url), first()])
  return response.body as ReadableStream<Uint8Array>
}
