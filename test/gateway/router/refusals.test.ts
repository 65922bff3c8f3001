/** Every refusal there is, met over real connections: what it says, that it disturbs nobody, that uploaders see it. */
import './refusals/parameters.js'
import './refusals/names.js'
import './refusals/sides.js'
import './refusals/kinds.js'
import './refusals/live.js'
import './refusals/queue.js'
import './refusals/topic.js'
import './refusals/ask.js'
import './refusals/duplex.js'
import './refusals/framing.js'
import './refusals/capacity.js'
import './refusals/undisturbed.js'
import './refusals/uploads.js'
import t from 'tap'
import type { Failure } from '../../../core/index.js'
import { FAILURES } from '../../../gateway/http/failures.js'
import { reached } from './refusals/rig.js'

t.test('every row of the catalogue was reached and is well-formed', async (t) => {
  // By test/gateway/host, test/gateway/tls/names.test.ts and test/plugins/duplex/rights.test.ts.
  const ofPlugins: Failure[] = [FAILURES.pluginFault, FAILURES.admitTimeout, FAILURES.tooLarge]
  const elsewhere = [...ofPlugins, FAILURES.badHost, FAILURES.needsBothRights]
  const rows: Failure[] = Object.values(FAILURES).filter((row: Failure) => !elsewhere.includes(row))
  t.equal(new Set(rows.map(({ code }) => code)).size, rows.length, 'codes are unique')
  for (const { code, status, message, hint } of rows) {
    t.ok(reached.has(code), `${code} was reached`)
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(status >= 400 && status < 600, `${code}: ${status} is a refusal`)
    t.match(message, /^[\x20-\x7e]+\.$/, `${code}: a sentence`)
    t.match(hint, /^([\x20-\x7e]+\.|\{instead\})$/, `${code}: what to do`)
  }
})
