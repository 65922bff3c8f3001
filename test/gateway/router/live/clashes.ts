/** One kind on a name at a time: every clash, in every direction and state, is refused and disturbs nobody. */
import { FAILURES } from '../../../../gateway/http/failures.js'
import { curl, curlDone } from '../../../support/curl.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { joined, openLive, openViewer, part, pipeOf, viewersOf } from './rig.js'

/** The answer's code and status, and its text. */
async function refusal(gateway: Running, target: string, upload: boolean): Promise<readonly [string, string, string]> {
  const args = [
    '-w',
    '\n%header{x-pipe-code} %{http_code}',
    ...(upload ? ['-T', '-'] : []),
    `${gateway.origin}/${target}`,
  ]
  const { stdout } = await curlDone(args, { input: 'x' })
  const [, text = '', code = '', status = ''] = /^([\s\S]*)\n(\S*) (\d+)$/.exec(stdout.toString()) ?? []
  return [code, status, text]
}

const CLASH = FAILURES.kindClash.code

part('on a broadcast that runs', async (t) => {
  const gateway = await startGateway(t)
  const sender = await openLive(gateway, 'a?live')
  const viewer = await joined(gateway, 'a?live', 1)
  for (const [target, upload, code] of [
    ['a?live', true, FAILURES.liveSenderExists.code],
    ['a?live&min=1', true, FAILURES.liveSenderExists.code],
    ['a', true, CLASH],
    ['a?n=1', true, CLASH],
    ['a?live=0', true, CLASH],
    ['a?live=0', false, CLASH],
    ['a?n=2', false, CLASH],
    ['a?sha256', false, CLASH],
  ] as const) {
    const [found, status, text] = await refusal(gateway, target, upload)
    t.same([found, status], [code, '409'], `${target}, ${upload ? 'sent' : 'received'}`)
    if (code === CLASH) t.match(text, /^\[ERROR\] This name is a live stream now, and this request asks for a pipe\./)
  }
  await sender.send('undisturbed')
  await sender.end()
  t.equal((await viewer.waitForResponse()).body.toString(), 'undisturbed')
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 1 viewers).')
})

part('where viewers wait for a broadcast, or one waits for its viewers', async (t) => {
  const gateway = await startGateway(t)
  for (const name of ['b-viewers', 'b-sender']) {
    const sender = name === 'b-sender' ? await openLive(gateway, `${name}?live&min=2`) : undefined
    const viewer = await joined(gateway, `${name}?live`, 1)
    for (const [target, upload] of [
      [name, false],
      [`${name}?live=0`, false],
      [name, true],
      [`${name}?n=2`, true],
    ] as const) {
      const [found, status, text] = await refusal(gateway, target, upload)
      t.same([found, status], [CLASH, '409'], `${target}, ${upload ? 'sent' : 'received'}`)
      t.match(text, /^\[ERROR\] This name is a live stream now, and this request asks for a pipe\. Use another name/)
    }
    t.equal(pipeOf(gateway, name)?.receiversPresent, 1)
    const last = sender === undefined ? undefined : await openViewer(gateway, `${name}?live`)
    const streams = sender ?? (await openLive(gateway, `${name}?live`))
    await streams.send('undisturbed')
    await streams.end()
    for (const each of [viewer, last]) if (each) t.equal((await each.waitForResponse()).body.toString(), 'undisturbed')
  }
})

part('where a pipe waits or streams', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl([`${gateway.origin}/c-receiver`])
  const sender = curl(['-T', '-', `${gateway.origin}/c-sender`], { input: 'undisturbed' })
  await gateway.holds(2, 0)
  const streams = await gateway.connect()
  await streams.send('PUT /c-streams HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nundis')
  const listens = curl([`${gateway.origin}/c-streams`])
  await gateway.holds(2, 1)
  for (const name of ['c-receiver', 'c-sender', 'c-streams']) {
    for (const upload of [true, false]) {
      const [found, status, text] = await refusal(gateway, `${name}?live`, upload)
      t.same([found, status], [CLASH, '409'], `${name}, ${upload ? 'sent' : 'received'}`)
      t.match(text, /^\[ERROR\] This name is a pipe now, and this request asks for a live stream\./)
    }
  }
  await streams.send('turbed')
  const feeds = curl(['-T', '-', `${gateway.origin}/c-receiver`], { input: 'undisturbed' })
  const gets = curl([`${gateway.origin}/c-sender`])
  for (const run of [receiver, gets, listens]) t.equal((await run.result).stdout.toString(), 'undisturbed')
  for (const run of [sender, feeds]) t.equal((await run.result).code, 0)
  streams.destroy()
})

part('two live senders at the same moment: one streams, and the other is told', async (t) => {
  const gateway = await startGateway(t)
  for (let round = 0; round < 10; round++) {
    const name = `d-${round}`
    const viewer = await joined(gateway, `${name}?live`, 1)
    const both = [1, 2].map((i) =>
      curl(['-w', '%{http_code}', '-T', '-', `${gateway.origin}/${name}?live`], { input: `of ${i}` }),
    )
    const results = await Promise.all(both.map(async (run) => (await run.result).stdout.toString()))
    const { body } = await viewer.waitForResponse()
    t.ok(['of 1', 'of 2'].includes(body.toString()), 'nothing is mixed')
    const won = results[Number(body.toString().slice(3)) - 1]!
    t.match(won, /ended \(peak 1 viewers\)\.\n200$/)
    // The other one may have come when the first had ended.
    const lost = results.find((each) => each !== won) ?? ''
    t.match(lost, /^\[ERROR\] This live stream already has its sender\.[\s\S]*409$|ended \(peak 0 viewers\)\.\n200$/)
    await viewersOf(gateway, name, undefined as unknown as number)
  }
})

part('parameters that make no sense with it, and two kinds in one request', async (t) => {
  const gateway = await startGateway(t)
  const both = [true, false]
  for (const upload of both) {
    for (const query of ['live&n=2', 'n=2&live', 'live&sha256', 'live&size=5']) {
      const [code, status, text] = await refusal(gateway, `e?${query}`, upload)
      t.same([code, status], [FAILURES.notWithLive.code, '400'], query)
      t.match(text, /Leave it out, or leave out \?live\.\n$/)
    }
    for (const query of ['live&topic', 'queue&live', 'live&duplex=a', 'live&ws', 'ask&live=1']) {
      const [code, status, text] = await refusal(gateway, `e?${query}`, upload)
      t.same([code, status], [FAILURES.twoKinds.code, '400'], query)
      t.match(text, /asks for \?\w+ and \?\w+, and a name is one thing at a time\. Keep one of them\.\n$/)
    }
  }
  for (const [query, upload] of [
    ['live&slow=fast', true],
    ['live&lag=0', true],
    ['live&lag=67108865', true],
    ['live&lag=8MiB', true],
    ['live&min=-1', true],
    ['live&min=257', true],
    ['live&join=frame', false],
    ['live&slow=skip', false],
    ['live&slow=hold', false],
  ] as const) {
    const [, status, text] = await refusal(gateway, `e?${query}`, upload)
    t.equal(status, '400', query)
    t.match(text, /^\[ERROR\] /)
  }
  const form = await curlDone(['-w', '%{http_code}', '-F', 'file=@-', `${gateway.origin}/e?live`], { input: 'x' })
  t.match(form.stdout.toString(), /so a form makes no sense with it\.[\s\S]*400$/)
  t.equal(pipeOf(gateway, 'e'), undefined, 'none of them takes a place')
  t.equal(gateway.gateway.table.waiting, 0)
})
