import type { CommandResult } from '../cli/command.js'
import type { Values } from '../cli/description.js'
import { isColoured } from '../cli/style.js'
import { Chain } from './chain.js'
import type { Verdict } from './check.js'
import type { description } from './description.js'
import { examine, Unreachable } from './examine.js'
import { type Options, readOptions } from './options.js'
import { jsonOf, textOf } from './report.js'

/** `pipegate doctor`: what the way to a gateway does to transfers. docs/doctor.md explains every check. @throws WrongUsage */
export function run(values: Values<typeof description>): Promise<CommandResult> {
  return doctor(readOptions(values, process.env))
}

async function doctor({ target, silenceMs, json, quiet }: Options): Promise<CommandResult> {
  const { stdout } = process
  const colour = isColoured(stdout)
  const chain = new Chain(target)
  const counts: Record<Verdict, number> = { ok: 0, warn: 0, fail: 0, skip: 0 }
  try {
    for await (const result of examine(chain, { silenceMs })) {
      counts[result.verdict]++
      if (!quiet) stdout.write(json ? jsonOf(result) : textOf(result, colour))
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return { text: `pipegate: nobody answers at ${target.url.origin}: ${error.message}\n`, exitCode: 2 }
  } finally {
    chain.close()
  }
  const exitCode = counts.fail > 0 ? 1 : 0
  stdout.write(json ? jsonOf({ result: counts, exitCode }) : `${quiet ? '' : '\n'}${summary(counts)}`)
  return { text: '', exitCode }
}

function summary({ ok, warn, fail, skip }: Record<Verdict, number>): string {
  return `${ok} ok, ${warn} ${warn === 1 ? 'warning' : 'warnings'}, ${fail} failed${skip === 0 ? '' : `, ${skip} not looked at`}\n`
}
