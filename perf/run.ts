/** `npm run perf [-- LANE ...] [--quick] [--rounds N] [--seconds S] [--out DIR]` */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LANES } from './lanes/index.js'
import { figuresMarkdown } from './markdown.js'
import { namedLanes, parseOptions } from './options.js'
import { reportPage } from './report-page.js'
import type { LaneResult } from './result.js'
import { runLane } from './run-lane.js'
import { laneText } from './table.js'

/** Runs the lanes one after the other. Returns the exit code: 1 when one failed, whatever the targets say. */
async function main(): Promise<number> {
  const { words, out, quick, rounds, seconds } = parseOptions(process.argv.slice(2))
  const names = namedLanes(
    words,
    LANES.map(({ name }) => name),
  )
  mkdirSync(out, { recursive: true })
  const results: LaneResult[] = []
  for (const lane of names) {
    process.stderr.write(`${lane}\n`)
    const result = await runLane({ lane, quick, rounds, seconds, base: null })
    results.push(result)
    writeFileSync(join(out, `${lane}.json`), `${JSON.stringify(result, null, 2)}\n`)
    process.stdout.write(laneText(result))
  }
  const page = join(out, 'report.html')
  const all = allResults(out)
  writeFileSync(page, reportPage(all))
  writeFileSync(join(out, 'figures.md'), figuresMarkdown(all))
  process.stdout.write(`${page}\n`)
  return results.some(({ failed }) => failed !== null) ? 1 : 0
}

/** Of this run, and of earlier ones in the same folder for lanes that were not in this one: each tells when it was. */
function allResults(out: string): LaneResult[] {
  const files = LANES.map(({ name }) => join(out, `${name}.json`)).filter((file) => existsSync(file))
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as LaneResult)
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`perf: ${error.message}\n`)
  return 2
})
