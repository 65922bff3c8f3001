/** What one upload has many of is given in turns: nobody else waits for all of it. */
import { startGateway } from '../../../support/gateway.js'
import { hires, pours } from './lines-rig.js'
import { part } from './rig.js'

const LINES = 20_000

part('others have a turn while an upload of empty jobs is given to a worker', async (t) => {
  const gateway = await startGateway(t)
  const worker = await hires(gateway)
  const { table } = gateway.gateway
  let [streaming, most, isOver] = [0, 0, false]
  const look = () => {
    most = Math.max(most, table.streaming - streaming)
    streaming = table.streaming
    if (!isOver) setImmediate(look)
  }
  look()
  const { body } = await pours(gateway, '\n'.repeat(LINES))
  isOver = true
  t.equal(body.toString(), `[INFO] Delivered ${LINES} job(s).\n`)
  t.ok(most <= 256, `${most} jobs at most in one turn of the event loop`)
  worker.destroy()
})
