/** Servers, senders and receivers that want to harm: nothing that is wrong looks right, and nothing is touched that was not meant. */

import { execFileSync, spawn } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { startDefaultGateway } from '../../support/gateway.js'
import { type CliExit, desks } from './rig.js'
import { type Answer, says, startScripted, stream } from './scripted-server.js'

t.setTimeout(300_000)

const FILE = '{"kind":"file","name":"f","bytes":9}'
const DESCRIBED = `X-Piping: pipegate ${FILE}`

function failed(t: Test, exit: CliExit, code: number, line: RegExp): void {
  t.equal(exit.code, code, exit.text)
  t.match(exit.text, line)
  t.notMatch(exit.text, /^\s+at |undefined|\[object|\bE[A-Z]{4,}:/m, 'in words')
}

async function received(t: Test, answer: Answer, ...args: string[]) {
  const { origin } = await startScripted(t, answer)
  const { there, receive } = desks(t, origin)
  return { there, exit: () => receive('f', ...args).ends() }
}

t.test('a body that ends too early, though it ends well, is no whole file', async (t) => {
  const chunked: Answer = says(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', DESCRIBED], '4\r\nhead\r\n0\r\n\r\n')
  const closed: Answer = (socket) => socket.end(`HTTP/1.0 200 OK\r\n${DESCRIBED}\r\n\r\nhead`)
  const tooLong = stream(FILE, 'much too long')
  for (const [answer, bytes] of [
    [chunked, 4],
    [closed, 4],
    [tooLong, 13],
  ] as const) {
    const { there, exit } = await received(t, answer)
    failed(t, await exit(), 1, new RegExp(`not all of it, or too much: ${bytes} bytes instead of 9\\.`))
    t.same(readdirSync(there), ['f.part'])
  }
})

t.test('a part that is not the rest', async (t) => {
  const resumable = async (t: Test, ranges: readonly string[], body: string, ...more: string[]) => {
    const status = { state: 'waiting', hasSender: true, fileName: 'f', mediaType: 'application/octet-stream' }
    const json = JSON.stringify(status)
    const { origin } = await startScripted(
      t,
      (socket, head) => {
        if (/[?&]status/.test(head)) says(['HTTP/1.1 200 OK', `Content-Length: ${json.length}`], json)(socket, head)
        else {
          t.match(head, /^range: bytes=5-$/im)
          const length = `Content-Length: ${body.length}`
          says(['HTTP/1.1 206 Partial Content', length, ...ranges, ...more], body)(socket, head)
        }
      },
      true,
    )
    const { there, receive } = desks(t, origin)
    writeFileSync(join(there, 'f.part'), 'heads')
    return { there, exit: await receive('f', '--resume').ends() }
  }
  for (const range of ['bytes 4-8/9', 'bytes 6-8/9', 'bytes 5-7/9', 'bytes */9', 'nonsense']) {
    const { there, exit } = await resumable(t, [`Content-Range: ${range}`], 'tail', DESCRIBED)
    failed(t, exit, 1, /was asked for the bytes from 5 on, and answers with "/)
    t.same(readdirSync(there), ['f.part'], range)
    t.equal(readFileSync(join(there, 'f.part'), 'utf8'), 'heads', 'what was there is as it was')
  }
  const unnamed = await resumable(t, [], 'tail', DESCRIBED)
  failed(t, unnamed.exit, 1, /with a part that it does not name\. Without --resume all is fetched again\./)
  // It fits, and nobody knows whether it belongs to what was here.
  const unknown = await resumable(t, ['Content-Range: bytes 5-8/9'], 'tail', DESCRIBED)
  failed(t, unknown.exit, 1, /the server has no digest of it/)
  t.same(readdirSync(unknown.there), ['f.part'])
  // The sender has another name now, of which there is a part as well, or none.
  const other = 'X-Piping: pipegate {"kind":"file","name":"g","bytes":9}'
  const exchanged = await resumable(t, ['Content-Range: bytes 5-8/9'], 'tail', other)
  failed(t, exchanged.exit, 1, /g\.part is not what was to go on/)
})

t.test('a range that nobody has asked for is none', async (t) => {
  const answer = stream(FILE, 'tail of 9', ['Content-Range: bytes 5-8/9'])
  const { there, exit } = await received(t, answer)
  writeFileSync(join(there, 'f.part'), 'heads')
  const { code, text } = await exit()
  t.equal(code, 0, text)
  t.equal(readFileSync(join(there, 'f'), 'utf8'), 'tail of 9')
  t.equal(readFileSync(join(there, 'f.part'), 'utf8'), 'heads')
})

t.test('descriptions that are nonsense', async (t) => {
  for (const description of [
    '{"kind":"file","name":["a"]}',
    '{"kind":"file","mode":-1}',
    '{"kind":"file","mode":2541}',
    '{"kind":"file","bytes":1e400}',
    '{"kind":"file","mtime":1e300}',
    '{"kind":"file","mtime":-1e300}',
    '{"kind":"__proto__"}',
    '{"__proto__":{"kind":"tar"},"constructor":1}',
    '[]',
    'null',
    '{',
  ]) {
    const { there, exit } = await received(t, stream(description, 'abc'), '-o', 'there')
    const { code, text } = await exit()
    t.equal(code, 0, description + text)
    t.equal(readFileSync(join(there, 'there'), 'utf8'), 'abc')
    t.equal(statSync(join(there, 'there')).mode & 0o7111, 0, 'not to be run')
  }
})

t.test('names that steer a terminal', async (t) => {
  const { exit } = await received(t, stream('{"kind":"file","name":"a\\u001b]0;x\\u0007\\u202eb"}', 'abc'))
  const { text } = await exit()
  t.notMatch(text, /[\x1b\x07\u202e]/)
  const refused = says(
    ['HTTP/1.1 400 Bad Request', 'Content-Type: text/plain', 'Content-Length: 12'],
    '[ERROR] \x1b[2J',
  )
  t.notMatch((await (await received(t, refused)).exit()).text, /\x1b/)
  // Those of the sender's own files may have come from somebody else as well.
  const { origin } = await startScripted(t, () => {})
  const { here, send } = desks(t, origin)
  const name = 'a\x1b[31m\nb'
  writeFileSync(join(here, name), 'x')
  const sender = send(name, '--name', 'x')
  await sender.says('pipegate receive')
  t.notMatch(sender.text, /\x1b|\nb/)
  t.match(sender.text, /Sending a\\u\{1b\}\[31m\\u\{a\}b/)
  t.notMatch((await send(`no${name}`).ends()).text, /\x1b/)
})

t.test('a device stays a device, and a pipe gets the bytes', async (t) => {
  const { there, exit } = await received(t, stream('{"kind":"file","name":"f"}', 'abc'), '-o', 'pipe', '--overwrite')
  execFileSync('mkfifo', [join(there, 'pipe')])
  const reader = spawn('cat', [join(there, 'pipe')])
  t.teardown(() => void reader.kill())
  let text = ''
  reader.stdout.on('data', (chunk) => {
    text += chunk
  })
  const { code, text: told } = await exit()
  t.equal(code, 0, told)
  await eventually(() => text === 'abc' || text)
  t.same(readdirSync(there), ['pipe'])
  t.ok(lstatSync(join(there, 'pipe')).isFIFO())

  await t.test('one that takes nothing', { skip: process.platform !== 'linux' && 'no /dev/full' }, async (t) => {
    const { exit } = await received(t, stream('{"kind":"file","name":"f"}', 'abc'), '-o', '/dev/full')
    failed(t, await exit(), 1, /\/dev\/full takes no more: /)
  })
})

t.test("somebody else's NAME.part is not touched", async (t) => {
  const file = stream('{"kind":"file","name":"f"}', 'abc')
  const { there, exit } = await received(t, file)
  writeFileSync(join(there, 'f.part'), 'of a browser')
  const { code, text } = await exit()
  t.equal(code, 0, text)
  t.same(readdirSync(there), ['f', 'f.part'])
  t.equal(readFileSync(join(there, 'f.part'), 'utf8'), 'of a browser')

  const linked = await received(t, file)
  writeFileSync(join(linked.there, 'victim'), 'as it was')
  symlinkSync('victim', join(linked.there, 'f.part'))
  t.equal((await linked.exit()).code, 0)
  t.equal(readFileSync(join(linked.there, 'victim'), 'utf8'), 'as it was')
  t.equal(readFileSync(join(linked.there, 'f'), 'utf8'), 'abc')

  const folder = await received(t, file)
  mkdirSync(join(folder.there, 'f.part'))
  t.equal((await folder.exit()).code, 0)
  t.same(readdirSync(folder.there), ['f', 'f.part'])
})

t.test('two receivers in one folder at the same time: both files are whole', async (t) => {
  const { origin } = await startScripted(t, (socket, head) => {
    const letter = /^GET \/(\w)/.exec(head)![1]!
    const rest = letter.repeat(500_000)
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX-Piping: pipegate {"kind":"file","name":"f"}\r\n\r\n${rest}`,
    )
    streams.push(() => socket.write(rest))
  })
  const streams: (() => void)[] = []
  const { there, receive } = desks(t, origin)
  const both = [receive('a'), receive('b')]
  await eventually(() => readdirSync(there).filter((name) => name.endsWith('.part')).length === 2 || 'not yet', {
    timeoutMs: 60_000,
  })
  for (const go of streams) go()
  for (const each of both) t.equal((await each.ends()).code, 0, each.text)
  t.same(readdirSync(there), ['f', 'f (1)'])
  const [one, two] = ['f', 'f (1)'].map((name) => readFileSync(join(there, name), 'utf8'))
  t.same([one, two].sort(), ['a'.repeat(1_000_000), 'b'.repeat(1_000_000)])
})

t.test('a server that says nothing does not keep who has said how long to wait', async (t) => {
  const { origin } = await startScripted(t, () => {})
  const { send, receive } = desks(t, origin)
  const [sent, got] = await Promise.all([send('-t', 'x', '--wait', '1').ends(), receive('x', '--wait', '1').ends()])
  failed(t, sent, 3, /Timed out waiting for receivers/)
  failed(t, got, 3, /Timed out waiting for the sender/)
})

t.test('an answer of a server that does not end', async (t) => {
  const half = says(['HTTP/1.1 404 Not Found', 'Content-Type: text/plain', 'Content-Length: 99'], '[ERROR] Half a li')
  failed(t, await (await received(t, half)).exit(), 2, /^Half a li$/m)
  const endless: Answer = (socket) => {
    const more = () => {
      while (socket.write('x'.repeat(65_536)));
    }
    socket.on('drain', more).write('HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n')
    more()
  }
  failed(t, await (await received(t, endless)).exit(), 2, /^x{300}$/m)
  const headers: Answer = (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)
  failed(t, await (await received(t, headers)).exit(), 2, /what answers there is not HTTP as it should be/)
  const other: Answer = (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n')
  failed(t, await (await received(t, other)).exit(), 2, /what answers there is not HTTP as it should be/)
})

t.test('a server that says too early that all has arrived', async (t) => {
  const lines = '[INFO] Streaming to 1 receiver\n[INFO] Transfer complete.\n'
  const { origin } = await startScripted(
    t,
    says(['HTTP/1.1 200 OK', 'Content-Type: text/plain', `Content-Length: ${lines.length}`], lines),
  )
  const { here, send } = desks(t, origin)
  writeFileSync(join(here, 'big'), Buffer.alloc(60_000_000))
  failed(
    t,
    await send('big', '--name', 'x').ends(),
    1,
    /said that all of it has arrived when only \d+ bytes had been sent/,
  )
})

t.test('SIGTERM ends a receiver whose output nobody takes', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { here, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'big'), Buffer.alloc(60_000_000))
  const receiver = receive('x', '-o', '-')
  receiver.child.stdout.pause()
  const sender = send('big', '--name', 'x')
  await receiver.says('streaming')
  // Until nothing moves any more.
  let before = -1
  await eventually(
    async () => {
      const { bytes } = (await (await fetch(gateway.url('x?status'))).json()) as { bytes: number }
      const isStill = bytes === before && bytes > 0
      before = bytes
      return isStill || `${bytes} bytes`
    },
    { timeoutMs: 60_000, everyMs: 500 },
  )
  receiver.child.kill('SIGTERM')
  const ended = new Promise((resolve) => receiver.child.once('exit', (_, signal) => resolve(signal)))
  t.equal(await ended, 'SIGTERM')
  failed(t, await sender.ends(), 1, /disconnected/)
})

t.test('what is secret is not shown', async (t) => {
  const nowhere = 'http://user:sekret@127.0.0.1:1'
  const { send, receive } = desks(t, nowhere)
  for (const each of [receive('x'), send('-t', 'x'), receive('x', '--json'), receive('x', '--server', nowhere)]) {
    const exit = await each.ends()
    failed(t, exit, 2, /http:\/\/127\.0\.0\.1:1: connection refused/)
    t.notMatch(exit.text, /sekret/)
  }
  const proxied = desks(t, 'http://pipe.invalid', { http_proxy: 'http://user:sekret%zz@127.0.0.1:1' })
  const exit = await proxied.receive('x').ends()
  failed(t, exit, 2, /the proxy that the environment names is no address/)
  t.notMatch(exit.text, /sekret/)
})

t.test('of what is encrypted the name and the permissions are inside, where no server writes them', async (t) => {
  const gateway = await startDefaultGateway(t)
  const words = join(t.testdir(), '..', 'attacks-words')
  writeFileSync(words, 'a passphrase\n')
  t.teardown(() => rmSync(words))
  const key = ['--passphrase-file', words]
  const { send } = desks(t, gateway.origin)
  const sender = send('-t', 'abc', '--name', 'x', ...key)
  await gateway.holds(1, 0)
  const sealed = Buffer.from(await (await fetch(gateway.url('x'))).arrayBuffer()).toString('latin1')
  t.equal((await sender.ends()).code, 0)
  const description = '{"kind":"file","name":"run-me.sh","mode":511,"encrypted":true}'
  const { there, exit } = await received(t, stream(description, sealed), ...key)
  const { code, text } = await exit()
  t.equal(code, 0, text)
  t.same(readdirSync(there), ['received'])
  t.equal(statSync(join(there, 'received')).mode & 0o111, 0)
})
