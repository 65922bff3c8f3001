/** `npm run perf:compare -- REF [LANE ...] [--quick] [--rounds N] [--out DIR]`: another commit against what is here. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LANES } from './lanes/index.js'
import { namedLanes, parseOptions } from './options.js'
import { PROJECT } from './paths.js'
import type { LaneResult } from './result.js'
import { runLane } from './run-lane.js'
import { comparisonText } from './table.js'

/** Runs base and head in turns in every lane that compares. Returns the exit code: 1 when a lane failed. */
async function main(): Promise<number> {
  const { words, out, quick, rounds, seconds } = parseOptions(process.argv.slice(2))
  const [ref, ...lanes] = words
  if (ref === undefined) throw new Error('say with what to compare: npm run perf:compare -- REF [LANE ...]')
  const comparing = LANES.filter(({ compares }) => compares === true).map(({ name }) => name)
  const names = namedLanes(lanes, comparing)
  const odd = names.find((name) => !comparing.includes(name))
  if (odd !== undefined) throw new Error(`lane "${odd}" does not compare; these do: ${comparing.join(', ')}`)
  mkdirSync(out, { recursive: true })
  let interrupted = false
  // With a listener a signal does not end this process before it has taken its worktree away.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      interrupted = true
    })
  }
  const base = checkOut(ref)
  try {
    const results: LaneResult[] = []
    for (const lane of interrupted ? [] : names) {
      process.stderr.write(`${lane}\n`)
      const result = await runLane({ lane, quick, rounds, seconds, base: base.folder })
      results.push(result)
      writeFileSync(join(out, `compare-${lane}.json`), `${JSON.stringify({ base: base.commit, ...result }, null, 2)}\n`)
      process.stdout.write(comparisonText(result, `${ref} (${base.commit})`))
    }
    return results.some(({ failed }) => failed !== null) ? 1 : 0
  } finally {
    base.remove()
  }
}

interface Checkout {
  /** With a slash at its end, as `PROJECT`. */
  readonly folder: string
  readonly commit: string
  remove(): void
}

/** Builds a commit in a git worktree of its own. */
function checkOut(ref: string): Checkout {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: PROJECT, encoding: 'utf8' }).trim()
  // What begins with a dash would be a flag of git.
  const commit = git('rev-parse', '--short', '--verify', '--end-of-options', `${ref}^{commit}`)
  const parent = mkdtempSync(join(tmpdir(), 'pipegate-base-'))
  const folder = join(parent, 'base/')
  const remove = () => {
    rmSync(parent, { recursive: true, force: true })
    // Forgets the worktrees whose folder is gone.
    git('worktree', 'prune')
  }
  try {
    git('worktree', 'add', '--detach', folder, commit)
    build(folder)
  } catch (error) {
    remove()
    throw error
  }
  return { folder, commit, remove }
}

function build(folder: string): void {
  process.stderr.write('building the base\n')
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  npm('ci', '--ignore-scripts', '--no-audit', '--no-fund')
  npm('run', 'build')
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`perf:compare: ${error.message}\n`)
  return 2
})
