/**
 * The reader under libFuzzer, which looks for inputs that make it go where none has made it go, from the corpus on, with ASan and
 * UBSan watching. What has to hold is in fuzz.c and drive.c. What it finds is printed, as a file for `fuzz FILE`.
 *
 * For longer: `npm run fuzz:reader`, an hour, or `PIPEGATE_FUZZ_SECONDS` of it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { amount } from '../support/thorough.js'
import { CORPUS } from './corpus.js'
import { buildFuzzer } from './driver.js'

const SECONDS = Number(process.env.PIPEGATE_FUZZ_SECONDS ?? amount(8, 20))
const MOST_BYTES = 4096
/** Of a case, which says how it is cut. */
const CUTS = 8

t.setTimeout((SECONDS + 120) * 1000)

t.test('nothing that a client sends breaks a promise', { timeout: (SECONDS + 90) * 1000 }, async (t) => {
  const folder = t.testdir({})
  const seeds = join(folder, 'seeds')
  mkdirSync(seeds)
  for (const [i, [, bytes]] of CORPUS.entries()) {
    const input = Buffer.concat([Buffer.alloc(CUTS, i), Buffer.from(bytes, 'latin1')])
    if (input.length <= MOST_BYTES) writeFileSync(join(seeds, `${i}`), input)
  }
  const limits = [`-max_total_time=${SECONDS}`, `-max_len=${MOST_BYTES}`, '-timeout=20', '-rss_limit_mb=1024']
  const fuzzer = spawnSync(buildFuzzer(), [...limits, '-print_final_stats=1', `-artifact_prefix=${folder}/`, seeds], {
    encoding: 'latin1',
    maxBuffer: 2 ** 28,
  })
  t.equal(fuzzer.status, 0, 'nothing was found')
  if (fuzzer.status !== 0) t.comment(fuzzer.stderr.slice(-6000))
  for (const file of readdirSync(folder).filter((each) => each !== 'seeds')) {
    t.comment(`${file}: ${JSON.stringify(readFileSync(join(folder, file), 'latin1'))}`)
  }
  t.comment(/Done \d+ runs in \d+ second/.exec(fuzzer.stderr)?.[0] ?? '')
})
