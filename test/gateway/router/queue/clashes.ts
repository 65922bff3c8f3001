/** One kind on a name at a time, and what a queue does not know. */
import { FAILURES } from '../../../../gateway/http/failures.js'
import { curlDone } from '../../../support/curl.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { counts, countsOf, lastLine, part, produce, work } from './rig.js'

/** The code and the status of the answer. */
async function refusal(gateway: Running, target: string, upload: boolean): Promise<string> {
  const args = ['-o', '/dev/null', '-w', '%header{x-pipe-code} %{http_code}', ...(upload ? ['-T', '-'] : [])]
  return (await curlDone([...args, `${gateway.origin}/${target}`], { input: 'x' })).stdout.toString()
}

const CLASH = `${FAILURES.kindClash.code} 409`

part('where a queue is, nothing else is', async (t) => {
  const gateway = await startGateway(t)
  const others = ['q', 'q?n=1', 'q?queue=0', 'q?live', 'q?live&min=1']
  const worker = await work(gateway)
  await counts(gateway, 0, 1)
  for (const target of others) {
    for (const upload of [false, true]) t.equal(await refusal(gateway, target, upload), CLASH, target)
  }
  const producer = await produce(gateway, 'undisturbed')
  t.equal((await worker.job()).body.toString(), 'undisturbed')
  t.equal(await lastLine(producer), '[INFO] Transfer complete.')
  for (const client of [producer, worker.client]) client.destroy()
})

part('a queue cannot be where something else is', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send('GET /p HTTP/1.1\r\nHost: x\r\n\r\n')
  const viewer = await gateway.connect()
  await viewer.send('GET /tv?live HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(2, 0)
  for (const target of ['p?queue', 'tv?queue']) {
    for (const upload of [false, true]) t.equal(await refusal(gateway, target, upload), CLASH, target)
  }
  t.equal(gateway.gateway.table.get('p')?.receiversPresent, 1)
  for (const client of [receiver, viewer]) client.destroy()
})

part('what makes no sense with a queue takes no place', async (t) => {
  const gateway = await startGateway(t)
  const never = ['n=2', 'n=0', 'min=1', 'slow=cut', 'lag=5', 'join=byte', 'within=3']
  const code = (row: { code: string; status: number }) => `${row.code} ${row.status}`
  for (const parameter of never) {
    for (const upload of [false, true])
      t.equal(await refusal(gateway, `q?queue&${parameter}`, upload), code(FAILURES.notWithQueue), parameter)
  }
  for (const parameter of ['take=3', 'size=3'])
    t.equal(await refusal(gateway, `q?queue&${parameter}`, false), code(FAILURES.notWithQueue), parameter)
  for (const take of ['0', '86401', '1.5', 'soon', ''])
    t.equal(await refusal(gateway, `q?queue&take=${take}`, true), code(FAILURES.badParameter), `take=${take}`)
  t.equal(await refusal(gateway, 'q?queue&live', true), code(FAILURES.twoKinds))
  t.equal(gateway.gateway.table.get('q'), undefined)
})

part('the places of both sides', async (t) => {
  const gateway = await startGateway(t, { maxQueued: '2' })
  const workers = [await work(gateway), await work(gateway)]
  await counts(gateway, 0, 2)
  t.equal(await refusal(gateway, 'q?queue', false), 'QUEUE_FULL 429')
  workers.pop()!.client.destroy()
  await counts(gateway, 0, 1)
  const again = await work(gateway)
  await counts(gateway, 0, 2)
  for (const worker of [again, ...workers]) worker.client.destroy()
  await counts(gateway, 0, 0)
  const producers = [await produce(gateway, 'a'), await produce(gateway, 'b')]
  await counts(gateway, 2, 0)
  t.equal(await refusal(gateway, 'q?queue', true), 'QUEUE_FULL 429')
  t.match(countsOf(gateway), { senders: 2, receivers: 0, running: 0 })
  for (const producer of producers) producer.destroy()
  await counts(gateway, 0, 0)
})

part('a thousand wait on each side, unless it is said otherwise', async (t) => {
  const gateway = await startGateway(t)
  t.equal(gateway.gateway.table.limits.maxQueued, 1000)
})
