/** `--resume`: after a drop, what is here whole is not sent again. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { startDefaultGateway } from '../../support/gateway.js'
import { startMiddleman } from './middleman.js'
import { type Desks, desks, tree } from './rig.js'

t.setTimeout(300_000)

const FILE = 1_000_000
/** So many that what is left does not fit into the buffers on the way: the sender must not be told that all has arrived. */
const FILES = 40
const gateway = await startDefaultGateway(t)

/** A transfer of a folder, or of one file, that is cut after half of it. */
async function cutOff(t: Test, what: 'd' | 'big'): Promise<Desks> {
  const middleman = await startMiddleman(t, gateway.port)
  const { here, there, receive, at } = desks(t, middleman.origin)
  const again = at(gateway.origin)
  mkdirSync(join(here, 'd'))
  for (let i = 0; i < FILES; i++) writeFileSync(join(here, 'd', `file-${i}`), Buffer.alloc(FILE, i))
  writeFileSync(join(here, 'big'), Buffer.alloc(FILES * FILE, 'big'))
  middleman.stopAfter = 10.5 * FILE
  const sender = again.send(what, '--name', 'x')
  const receiver = receive('x')
  const part = join(there, `${what}.part`)
  await eventually(() => (existsSync(part) && arrived(part) > 9 * FILE) || 'it is not so far', { timeoutMs: 60_000 })
  middleman.cut()
  t.not((await receiver.ends()).code, 0)
  t.not((await sender.ends()).code, 0)
  return again
}

function arrived(part: string): number {
  const { size } = statSync(part)
  return statSync(part).isFile() ? size : readdirSync(part).length * FILE
}

t.test('a folder: whole files are left out, and it is complete in the end', async (t) => {
  const { here, there, send, receive } = await cutOff(t, 'd')
  const sender = send('d', '--name', 'x', '--resume')
  const received = await receive('x', '--resume').ends()
  t.equal(received.code, 0, received.text)
  const sent = await sender.ends()
  t.equal(sent.code, 0, sent.text)
  const [, left = ''] = /The receiver has a part of it: ([\d.]+) MB are left\./.exec(sent.text) ?? []
  t.ok(Number(left) > FILES - 12 && Number(left) < FILES - 8, `${left} MB were left`)
  t.same(
    tree(there),
    tree(here).filter((line) => line.startsWith('d')),
  )
})

for (const flags of [[], ['--resume']]) {
  t.test(`a file goes on at its offset, whether or not the sender says --resume: ${flags}`, async (t) => {
    const { here, there, send, receive } = await cutOff(t, 'big')
    const before = statSync(join(there, 'big.part')).size
    t.ok(before > 9 * FILE)
    const sender = send('big', '--name', 'x', ...flags)
    const received = await receive('x', '--resume', '--json').ends()
    t.equal(received.code, 0, received.text)
    const { bytes, sha256 } = JSON.parse(received.stderr.trim().split('\n').at(-1)!)
    t.equal(bytes, FILES * FILE - before, 'only the rest has come')
    t.match(sha256, /^[0-9a-f]{64}$/, 'all of it is verified')
    t.same(readFileSync(join(there, 'big')), readFileSync(join(here, 'big')))
    t.equal((await sender.ends()).code, 0)
  })
}

t.test('when only one side says it, all is sent', async (t) => {
  const { here, there, send, receive } = await cutOff(t, 'd')
  const sender = send('d', '--name', 'x', '--resume')
  await gateway.holds(1, 0)
  rmSync(join(there, 'd.part'), { recursive: true })
  const received = await receive('x').ends()
  t.equal(received.code, 0, received.text)
  t.equal((await sender.ends()).code, 0, sender.text)
  t.same(
    tree(there),
    tree(here).filter((line) => line.startsWith('d')),
  )
})

t.test('the part of another file is noticed', async (t) => {
  const { here, there, send, receive } = await cutOff(t, 'big')
  writeFileSync(join(here, 'big'), Buffer.alloc(FILES * FILE, 'gib'))
  const sender = send('big', '--name', 'x')
  const received = await receive('x', '--resume').ends()
  t.equal(received.code, 1, received.text)
  t.match(received.text, /the SHA-256 differs/)
  t.same(readdirSync(there), ['big.part'])
  await sender.ends()
})
