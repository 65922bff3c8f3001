/**
 * `npm run soak -- --minutes 10 --seed N --load 0.65 --threads 2`: plants faults under a mixed load of every kind, and counts. Exits with 1
 * when a rule was broken. The same seed plants the same faults and draws the same requests; what meets what is up to the kernel.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { report } from './report.js'
import { soak } from './run.js'
import { Undo } from './undo.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    load: { type: 'string', default: '0.65' },
    threads: { type: 'string', default: '1' },
    quiet: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.minutes) * 60
const seed = Number(values.seed)
const share = Number(values.load)
const threads = Number(values.threads)
if (!(seconds > 0 && Number.isInteger(seed) && share > 0)) {
  console.error('usage: npm run soak -- [--minutes M] [--seed N] [--load SHARE_OF_A_CORE] [--threads N] [--quiet]')
  process.exit(2)
}
console.log(`seed ${seed}`)
const folder = mkdtempSync(join(tmpdir(), 'pipegate-soak-'))
// What it has started is killed at its exit, which a signal alone would not be.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const undo = new Undo()
const started = performance.now()
const note = (text: string) => {
  if (!values.quiet) console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${text}`)
}
const result = await soak(undo, { seed, seconds, share, threads, folder, note })
await undo.run()
console.log(report(result))
const isRight = result.tally.broken.size === 0
if (isRight) rmSync(folder, { recursive: true, force: true })
else console.log(`The logs are in ${folder}.`)
process.exit(isRight ? 0 : 1)
