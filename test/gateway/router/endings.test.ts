/**
 * Every way a transfer can end, provoked over real sockets: what the log calls it, what each side sees, and that nobody
 * takes it for complete.
 */
import './endings/sender-leaves.js'
import './endings/receivers-leave.js'
import './endings/time.js'
import './endings/capacity.js'
import './endings/defects.js'
import './endings/malformed.js'
import './endings/plugins.js'
import './endings/live.js'
import './endings/ask.js'
import './endings/duplex.js'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { END_REASONS } from '../../../core/index.js'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { MIB, openFrozenReceiver, parts, seen } from './endings/rig.js'

await Promise.all(parts)
// Alone: the others make this process stall, and with it the gateway that the test is about.
await t.test('many slow transfers share the memory, and none of them fails for it', async (t) => {
  const gateway = await startGateway(t, { memory: '8MiB', window: '1MiB' })
  // A whole window for each would be more than there is. The kernel takes some MiB for those who do not read.
  const names = Array.from({ length: 12 }, (_, i) => `share-${i}?n=2`)
  const body = randomBytes(16 * MIB)
  const readers = names.map((name) => curl(['-o', '/dev/null', `${gateway.origin}/${name}`]))
  const receivers = await Promise.all(names.map((name) => openFrozenReceiver(gateway, name)))
  const senders = names.map((name) => curl(['-T', '-', `${gateway.origin}/${name}`], { input: body }))
  await gateway.holds(0, names.length)
  await eventually(() => gateway.gateway.slabs.inUse > 64 || `${gateway.gateway.slabs.inUse} slabs are in use`)
  t.same(
    gateway.lines.filter((line) => line.msg === 'transfer'),
    [],
    'all of them go on',
  )
  for (const receiver of receivers) receiver.resume()
  // Looking into a response reads all of it again, every few milliseconds.
  const arrived = () => receivers.every(({ receivedBytes }) => receivedBytes > body.length)
  await eventually(() => arrived() || 'bytes are missing', { timeoutMs: 60_000 })
  for (const receiver of receivers) t.ok((await receiver.waitForResponse()).body.equals(body))
  for (const run of [...senders, ...readers]) t.equal((await run.result).code, 0)
  for (const receiver of receivers) receiver.destroy()
})

t.test('every end reason that the wire can cause was seen', async (t) => {
  // uWebSockets itself never delivers more or fewer bytes than announced; test/core provokes this one.
  const elsewhere = ['wrong_length']
  const missing = END_REASONS.filter((reason) => !seen.has(reason) && !elsewhere.includes(reason))
  t.same(missing, [])
})
