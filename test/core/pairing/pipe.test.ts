/** The life of a pipe, by scenes; and at the end that they came across every refusal and every end reason. */
import t from 'tap'
import { CORE_FAILURES, END_REASONS } from '../../../core/index.js'
import './scenes/pairing.js'
import './scenes/refusals.js'
import './scenes/waiting.js'
import './scenes/leaving.js'
import './scenes/body.js'
import './scenes/limits.js'
import './scenes/watchdog.js'
import './scenes/memory.js'
import './scenes/digest.js'
import './scenes/stop.js'
import './scenes/ranges.js'
import './scenes/live.js'
import './scenes/queue.js'
import './scenes/queue-returns.js'
import './scenes/queue-staying.js'
import './scenes/ask.js'
import './scenes/ask-ends.js'
import './scenes/duplex.js'
import { reasonsSeen, refusalsSeen } from './scenes/scene.js'

t.test('every refusal of the core was seen above, and tells the reader what to do', async (t) => {
  const codes = Object.values(CORE_FAILURES).map(({ code }) => code)
  for (const { code, status, message, hint } of Object.values(CORE_FAILURES)) {
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(status >= 400 && status < 600)
    t.ok(message.length > 0 && hint.length > 0, code)
  }
  t.equal(new Set(codes).size, codes.length, 'codes are unique')
  t.same([...refusalsSeen].sort(), codes.sort())
})

t.test('every end reason was seen above', async (t) => {
  t.same([...reasonsSeen].sort(), [...END_REASONS].sort())
})
