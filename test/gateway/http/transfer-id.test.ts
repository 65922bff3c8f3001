/** `?transfer=ID`: a sender names its transfer. */
import t, { type Test } from 'tap'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import { FAILURES } from '../../../gateway/http/failures.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { connect, type RawClient } from '../../support/raw.js'

const ID = 'chosen_by-the-SENDER'
const TOKENS = [
  { name: 'one', token: 'one-one-one-one-one-one', project: 'one' },
  { name: 'two', token: 'two-two-two-two-two-two', project: 'two' },
]
const as = (who: 'one' | 'two'): string[] => ['-H', `Authorization: Bearer ${Array(6).fill(who).join('-')}`]

async function start(t: Test): Promise<Running> {
  const plugins = await defaultPlugins()
  return startGateway(
    t,
    {},
    { plugins: [...plugins, { plugin: authBearer as unknown as Plugin, config: { tokens: TOKENS } }] },
  )
}

/** A sender that waits, and has five bytes to send. */
async function waits(t: Test, gateway: Running, who: 'one' | 'two', target: string): Promise<RawClient> {
  const sender = await connect({ port: gateway.port })
  t.teardown(() => sender.destroy())
  const [, authorization] = as(who)
  await sender.send(`PUT /${target} HTTP/1.1\r\nHost: x\r\n${authorization}\r\nContent-Length: 5\r\n\r\n`)
  await sender.waitFor('Waiting for')
  return sender
}

async function isTaken(t: Test, gateway: Running, args: readonly string[], query: string): Promise<void> {
  const { stdout } = await curlDone(['-i', ...args, '-d', 'x', gateway.url(query)])
  const { code, status } = FAILURES.transferIdTaken
  t.match(
    stdout.toString(),
    new RegExp(`^HTTP/1.1 ${status} [^]*X-Pipe-Code: ${code}\r\n[^]*\\[ERROR\\] The transfer id [\\w-]+ is in use\\.`),
  )
}

t.test('both sides, the receipt and `?status&transfer` have it', async (t) => {
  const gateway = await start(t)
  const sender = await waits(t, gateway, 'one', `name?transfer=${ID}`)
  const receiver = curl(['-i', ...as('one'), gateway.url('name')])
  await gateway.holds(0, 1)
  await sender.send('hello')
  await sender.waitFor('Transfer complete.')
  for (const text of [sender.text, (await receiver.result).stdout.toString()]) {
    t.match(text, `X-Pipe-Transfer-Id: ${ID}\r\n`)
  }
  const byId = await curlDone([...as('one'), gateway.url(`name?status&transfer=${ID}`)])
  t.match(JSON.parse(byId.stdout.toString()), { state: 'complete', transferId: ID, bytes: 5 })
})

t.test('two live transfers of a project never have the same id', async (t) => {
  const gateway = await start(t)
  const query = `n=2&transfer=${ID}`
  const sender = await waits(t, gateway, 'one', `a?${query}`)
  await isTaken(t, gateway, as('one'), `b?transfer=${ID}`)
  await isTaken(t, gateway, as('one'), `a?${query}`)
  const other = await waits(t, gateway, 'two', `b?transfer=${ID}`)
  const receivers = [1, 2].map(() => curl([...as('one'), gateway.url('a?n=2')]))
  await gateway.holds(1, 1)
  await isTaken(t, gateway, as('one'), `b?transfer=${ID}`)
  await sender.send('hello')
  await sender.waitFor('Transfer complete.')
  for (const { result } of receivers) t.equal((await result).code, 0)
  t.comment('over: it is free')
  const again = await waits(t, gateway, 'one', `c?transfer=${ID}`)
  again.destroy()
  t.comment('gone while it waited: it is free')
  await gateway.holds(1, 0)
  const third = await waits(t, gateway, 'one', `c?transfer=${ID}`)
  for (const each of [third, other]) each.destroy()
  await gateway.holds(0, 0)
})

t.test('an id that was drawn is taken as well', async (t) => {
  const gateway = await start(t)
  const sender = await waits(t, gateway, 'one', 'a')
  const id = /X-Pipe-Transfer-Id: ([\w-]+)/.exec(sender.text)![1]!
  await isTaken(t, gateway, as('one'), `b?transfer=${id}`)
  const other = await waits(t, gateway, 'two', `b?transfer=${id}`)
  for (const each of [sender, other]) each.destroy()
  await gateway.holds(0, 0)
})

t.test('what is no id is refused', async (t) => {
  const gateway = await startGateway(t)
  const good = ['a'.repeat(16), 'Z'.repeat(64), '-_-_-_-_-_-_-_-_', '__proto__________']
  const bad = [
    '',
    'a'.repeat(15),
    'a'.repeat(65),
    `${'a'.repeat(15)}.`,
    `${'a'.repeat(15)}%0a`,
    `${'a'.repeat(15)}%C3%A4`,
  ]
  for (const id of bad) {
    const { stdout } = await curlDone(['-w', '%{http_code}', '-d', 'x', gateway.url(`x?transfer=${id}`)])
    t.match(
      stdout.toString(),
      /^\[ERROR\] The value of transfer is ".*"\. It takes 16 to 64 letters, digits, "_" and "-"\.\n400$/,
    )
  }
  for (const id of good) {
    const sender = await connect({ port: gateway.port })
    await sender.send(`PUT /x?transfer=${id} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n`)
    await sender.waitFor(`X-Pipe-Transfer-Id: ${id}\r\n`)
    sender.destroy()
    await gateway.holds(0, 0)
  }
})
