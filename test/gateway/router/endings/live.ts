/** The one ending that only viewers of a live stream have; test/gateway/router/live has the others. */
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { MIB, openFrozenReceiver, part, pour, reasonOf, seen } from './rig.js'

part(
  'a viewer that falls too far behind a live stream: it is cut, and the stream ends as if nothing were',
  async (t) => {
    const gateway = await startGateway(t)
    const viewer = await openFrozenReceiver(gateway, 'behind?live')
    await gateway.holds(1, 0)
    const sender = pour(gateway, 'behind?live&lag=2097152', 32 * MIB)
    const lineOf = () => gateway.lines.find((line) => line.msg === 'request' && line.reason === 'fell_behind')
    await eventually(() => lineOf() !== undefined || 'nobody was cut')
    seen.add('fell_behind')
    t.match(lineOf(), { method: 'GET', path: '/behind', outcome: 'cut' })
    const { code, stdout } = await sender.result
    t.equal(code, 0)
    t.match(stdout.toString(), /\n\[INFO\] Live stream ended \(peak 1 viewers\)\.\n$/)
    t.equal(await reasonOf(gateway, 'behind'), 'complete')
    viewer.resume()
    await viewer.waitForClose()
    t.notOk(parseResponse(viewer.received).complete, 'it sees that it has not got all')
  },
)
