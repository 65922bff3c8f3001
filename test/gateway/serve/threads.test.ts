/** `--threads N`: whole gateways in threads behind one port. A connection goes to the thread that has the name it asks for. */
import t, { type Test } from 'tap'
import { canonicalName } from '../../../gateway/http/address.js'
import { threadHelper } from '../../../gateway/native/threads.js'
import { Random } from '../../model/random.js'
import { makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { runProgram } from '../../support/program.js'
import { parseResponse, type RawClient } from '../../support/raw.js'
import { amount, sample } from '../../support/thorough.js'
import {
  BREAKS,
  client,
  descriptors,
  health,
  metrics,
  namesOf,
  PREFIX,
  request,
  startThreads,
  withPlugin,
} from './threads/rig.js'

t.jobs = 3

/** Pieces of names: each in its canonical spelling, and others that mean the same. */
const PIECES = [
  ['%C3%A4', '%c3%a4', '%C3%a4', 'ä'],
  ['%E2%82%AC', '%e2%82%ac', '€'],
  ['%F0%9F%98%80', '%f0%9F%98%80', '😀'],
  ['%3A', '%3a'],
  ['%20', '%20'],
  ['%%41', '%%41'],
  ['a', 'a'],
  ['Z', 'Z'],
  ['9-_.~', '9-_.~'],
  ['/', '/'],
  ['+', '+'],
  ['api/v1/pipe', 'api/v1/pipe'],
] as const

function randomName(random: Random): readonly [string, string] {
  let [canonical, other] = ['', '']
  for (let i = 1 + random.below(6); i > 0; i--) {
    const piece = PIECES[random.below(PIECES.length)]!
    canonical += piece[0]
    other += piece[random.below(piece.length)]
  }
  return [canonical, other]
}

/** As a client writes it, an octet a character. */
const octets = (text: string) => Buffer.from(text).toString('latin1')

t.test('the helper finds the owner of a name that the gateway calls by one spelling', async (t) => {
  const helper = threadHelper()
  const random = new Random(18)
  const count = amount(20_000, 1_000_000)
  for (const prefix of [PREFIX, '', '/p']) {
    helper.spreadNames(prefix, 7)
    const met = new Array<number>(7).fill(0)
    for (let i = 0; i < count; i++) {
      const [canonical, other] = randomName(random)
      if (canonicalName(canonical) !== canonicalName(other)) t.fail(`${canonical} ${other}`)
      const owner = helper.ownerOf(`/${canonicalName(canonical)}`)
      met[owner]!++
      const query = random.below(2) === 0 ? '' : `?n=2&x=/${i}`
      const target = `${random.below(2) === 0 ? prefix : ''}/${octets(other)}${query}`
      // Without the prefix a name that begins with it is another one.
      if (canonical.startsWith(prefix.slice(1)) && prefix !== '') continue
      if (helper.ownerOf(target) !== owner) t.fail(`${target}: ${helper.ownerOf(target)}, not ${owner}`)
    }
    t.ok(
      met.every((each) => each > count / 20),
      `all have some: ${met}`,
    )
  }
})

t.test('two spellings of one name meet', async (t) => {
  const program = await startThreads(t, 3)
  const random = new Random(5)
  const [to, from] = [await client(program), await client(program)]
  for (let i = 0; i < amount(150, 10_000); i++) {
    const [one, other] = [`m${i}/${randomName(random)[0]}`, `m${i}`]
    const rest = one.slice(other.length)
    if (/(^|\/)\.{1,2}(\/|$)|\/$/.test(rest)) continue
    const spelled = (name: string) => octets(decodesTo(name))
    const [a, b] =
      i % 2 === 0
        ? [`/${one}`, `${PREFIX}/${spelled(one)}`]
        : [`${PREFIX}/${spelled(one)}?n=1`, `/${one.toLowerCase() === one ? one : one}`]
    await pair(from, to, a, b, `body ${i}`)
  }
  t.pass('all have met')
})

/** Letters that are no ASCII as they are, and escapes in lower case. */
function decodesTo(name: string): string {
  return name.replace(/(%[C-F][0-9A-F](%[89AB][0-9A-F])+)/g, (each, _1, _2, at: number) =>
    at % 2 === 0 ? decodeURIComponent(each) : each.toLowerCase(),
  )
}

async function pair(sender: RawClient, receiver: RawClient, to: string, from: string, body: string): Promise<void> {
  // Thousands of them would be looked through again and again.
  for (const each of [sender, receiver]) each.forget()
  void sender.send(Buffer.from(request('PUT', to, body), 'latin1'))
  void receiver.send(Buffer.from(request('GET', from), 'latin1'))
  const got = await receiver.waitForResponse()
  if (got.body.toString() !== body) throw new Error(`${from}: ${got.status} ${got.body}`)
  const told = await sender.waitForResponse()
  if (!told.body.toString().includes('Transfer complete.')) throw new Error(`${to}: ${told.body}`)
}

/** The next one, looked for when something comes: hundreds of thousands are too many to be polled for. */
function headOf(client: RawClient): Promise<Buffer> {
  client.forget()
  return new Promise((resolve) => {
    client.onRead = () => {
      // It is kept behind this.
      queueMicrotask(() => {
        if (client.text.endsWith('\r\n\r\n')) resolve(client.received)
      })
    }
  })
}

t.test('heads that come in pieces', async (t) => {
  const program = await startThreads(t, 2)
  const names = [...namesOf(0, 2, 2), ...namesOf(1, 2, 2)]
  const whole = `PUT /NAME?n=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX-Long: ${'x'.repeat(200)}\r\n\r\nbody`
  const cuts = sample(
    Array.from({ length: whole.length - 1 }, (_, i) => i + 1),
    40,
  )
  const sender = await client(program)
  for (const cut of cuts) {
    const name = names[cut % names.length]!
    const receiver = curl([`http://127.0.0.1:${program.port}/${name}`])
    const text = whole.replace('NAME', name)
    const before = sender.receivedBytes
    void sender.send(text.slice(0, cut))
    await new Promise((resolve) => setTimeout(resolve, 3))
    void sender.send(text.slice(cut))
    t.equal((await receiver.result).stdout.toString(), 'body', `cut at ${cut}`)
    await sender.waitForResponse({ from: before })
  }
})

for (const tls of [false, true]) {
  const over = tls ? ', over TLS' : ''
  const flags = (t: Test) => {
    if (!tls) return []
    const { cert, key } = makeCertificate(t.testdir({}))
    return ['--tls-cert', cert, '--tls-key', key]
  }
  t.test(`pipelined requests for the names of several threads${over}`, async (t) => {
    const program = await startThreads(t, 3, flags(t))
    const names = Array.from({ length: 30 }, (_, i) => namesOf(i % 3, 3, 1, `p${i}-`)[0]!)
    const sender = await client(program, tls)
    const receivers = names.map((name) => curl(['-k', program.url(name)]))
    void sender.send(names.map((name) => request('PUT', `/${name}`, `for ${name}`)).join(''))
    for (const [i, receiver] of receivers.entries())
      t.equal((await receiver.result).stdout.toString(), `for ${names[i]}`)
    await eventually(() => sender.text.split('Transfer complete.').length === 31 || sender.text.slice(-300))
  })

  t.test(`a kept connection moves with each request, and leaves no descriptor behind${over}`, async (t) => {
    const program = await startThreads(t, 2, flags(t))
    const clients = await Promise.all(Array.from({ length: 8 }, () => client(program, tls)))
    const moves = amount(125, 37_500)
    const [even, odd] = [namesOf(0, 2, 1)[0]!, namesOf(1, 2, 1)[0]!]
    const run = async (each: RawClient) => {
      for (let i = 0; i < moves; i++) {
        const head = headOf(each)
        void each.send(request('HEAD', `/${i % 2 === 0 ? even : odd}`))
        const { status } = parseResponse(await head, { head: true })
        if (status !== 405) throw new Error(`${status}`)
      }
    }
    await Promise.all(clients.map(run))
    const before = descriptors(program)
    await Promise.all(clients.map(run))
    t.equal(descriptors(program), before)
    for (const each of clients) each.destroy()
    await eventually(() => descriptors(program) === before - 8 || `${descriptors(program)} descriptors of ${before}`)
  })
}

t.test('what is counted is counted for the process', async (t) => {
  const program = await startThreads(t, 3, ['--max-waiting', '6'])
  const names = [0, 1, 2].flatMap((number) => namesOf(number, 3, 3))
  const waiting = names
    .slice(0, 3)
    .concat(names.slice(3, 6))
    .map((name) => curl(['-N', program.url(name)]))
  for (let i = 0; i < 5; i++)
    await eventually(async () => (await health(program)).waiting === 6 || JSON.stringify(await health(program)))
  t.equal((await metrics(program)).value('pipegate_pipes', { state: 'waiting' }), 6)
  const refused = await curlDone(['-w', '%{http_code}', program.url(names[8]!)])
  t.match(refused.stdout.toString(), /429$/)
  t.match(refused.stdout.toString(), /6/)
  for (const name of names.slice(0, 6)) await curlDone(['-T', '-', program.url(name)], { input: name })
  for (const [i, each] of waiting.entries()) t.equal((await each.result).stdout.toString(), names[i])
  t.equal((await metrics(program)).value('pipegate_transfers_total', { reason: 'complete' }), 6)
  const ids = program.logged('request').map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length, 'each request has a number of its own')
})

t.test('a thread that dies takes its own transfers with it, visibly, and is started again', async (t) => {
  const program = await startThreads(t, 2, withPlugin(t, BREAKS))
  const breaks = namesOf(0, 2, 1, '').length >= 0 ? threadHelper().ownerOf(`${PREFIX}/x/break`) : 0
  const [mine, other] = [namesOf(breaks, 2, 2), namesOf(1 - breaks, 2, 2)]
  const start = (name: string) => {
    const receiver = curl(['-N', program.url(name)])
    const sender = curl(['-N', '-T', '.', program.url(name)])
    sender.stdin.write('first ')
    return { receiver, sender }
  }
  const [doomed, healthy] = [start(mine[0]!), start(other[0]!)]
  await doomed.receiver.waitFor('first')
  await healthy.receiver.waitFor('first')
  curl([program.url('x/break')])
  const { code } = await doomed.receiver.result
  t.not(code, 0, 'its receiver sees that something is missing')
  await eventually(() => /\[ERROR\]/.test(doomed.sender.stdoutText) || doomed.sender.stdoutText)
  doomed.sender.stdin.end()
  await program.waitForLog('a thread has met a defect, and ends what it has')
  await program.waitForLog('a thread has been started again')
  healthy.sender.stdin.write('second')
  healthy.sender.stdin.end()
  t.equal((await healthy.receiver.result).stdout.toString(), 'first second')
  t.equal((await healthy.sender.result).code, 0)
  const again = start(mine[1]!)
  again.sender.stdin.end('second')
  t.equal((await again.receiver.result).stdout.toString(), 'first second')
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})

t.test('it drains: running transfers go on in all threads, and nobody else comes in', async (t) => {
  const program = await startThreads(t, 2)
  const names = [namesOf(0, 2, 1)[0]!, namesOf(1, 2, 1)[0]!]
  const pairs = names.map((name) => {
    const receiver = curl(['-N', program.url(name)])
    const sender = curl(['-N', '-T', '.', program.url(name)])
    sender.stdin.write('first ')
    return { receiver, sender }
  })
  for (const { receiver } of pairs) await receiver.waitFor('first')
  program.kill('SIGHUP')
  await program.waitForLog('nothing is read again: there are no certificates, and settings are read at the start')
  const ends = program.endsAfter('SIGTERM')
  await program.waitForLog('draining')
  await eventually(async () => (await curlDone([program.url('other')])).code === 7 || 'it still listens')
  for (const { sender } of pairs) sender.stdin.end('second')
  for (const { receiver } of pairs) t.equal((await receiver.result).stdout.toString(), 'first second')
  t.equal((await ends).code, 0)
})

t.test('more threads than processors, and `auto`', async (t) => {
  for (const threads of [8, 'auto'] as const) {
    const program = await startThreads(t, threads)
    const receiver = curl([program.url('x')])
    await curlDone(['-T', '-', program.url('x')], { input: 'body' })
    t.equal((await receiver.result).stdout.toString(), 'body')
    t.equal((await program.endsAfter('SIGTERM')).code, 0)
  }
})

t.test('what cannot be is said at the start', async (t) => {
  const says = async (pattern: RegExp, ...flags: string[]) => {
    const { code, stdout, stderr } = await runProgram(t, ['serve', '--port', '0', '--threads', '2', ...flags])
    t.not(code, 0)
    t.match(stdout + stderr, pattern)
  }
  await says(
    /plugin own cannot have an instance in each of 2 threads; set threads to 1, or leave it out/,
    ...withPlugin(t, '{}', ''),
  )
  await says(/threads 2 without socketHelper/, '--socket-helper=no')
  await says(/broken at the start/, ...withPlugin(t, `{ start() { throw new Error('broken at the start') } }`))
  const program = await startThreads(t, 2)
  await says(/the port is in use/, '--port', `${program.port}`)
})
