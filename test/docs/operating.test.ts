/** What docs/operating.md quotes is what there is: lines, reasons, metrics, settings, parameters and files. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { END_REASONS } from '../../core/index.js'
import { SETTING_KEYS } from '../../gateway/config/settings.js'
import { PROGRAM } from '../../gateway/program.js'
import { PROJECT, readProject } from '../support/project.js'

const page = readProject('docs/operating.md')
const tracked = execFileSync('git', ['ls-files', '-z', 'core/*.ts', 'gateway/*.ts'], { cwd: PROJECT, encoding: 'utf8' })
/** What the program may say: its sources without their comments. */
const sources = tracked
  .split('\0')
  .filter(Boolean)
  .map(readProject)
  .join('\n')
  .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
const metrics = new Set(
  [...readProject('docs/plugins/metrics.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!),
)

function quotes(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, quote]) => quote!)
}

/** Of a line with a number in it, which the program puts together, the parts around the number are looked for. */
function isSaid(line: string): boolean {
  return line.split(/…|\d+ /).every((part) => part.length < 3 || sources.includes(part))
}

t.test('symptoms, and what to look at', async (t) => {
  const rows = [...page.slice(page.indexOf('## What is wrong?')).matchAll(/^\| (.*?) \| (.*?) \|/gm)].slice(2)
  t.ok(rows.length > 15)
  const elsewhere = new Set(['ss -ltn', 'Recv-Q'])
  for (const [, symptom, place] of rows) {
    for (const quote of quotes(`${symptom} ${place}`)) {
      const known: readonly boolean[] = [
        elsewhere.has(quote),
        /^\d{3}$/.test(quote),
        metrics.has(quote),
        (END_REASONS as readonly string[]).includes(quote),
        (SETTING_KEYS as readonly string[]).includes(quote),
        quote.startsWith('?') && readProject('docs/protocol.md').includes(quote),
        !/^(?:pipegate|process)_/.test(quote) && isSaid(quote),
      ]
      t.ok(known.includes(true), `${quote}, in the row "${symptom}"`)
    }
    for (const [, reason] of place!.matchAll(/(?:reason|or) `(\w+)`/g))
      t.ok((END_REASONS as readonly string[]).includes(reason!), reason!)
  }
})

t.test('metrics, settings and commands, wherever they are named', async (t) => {
  const others = new Set(['jwksUrl', 'preStop', 'remoteAddress', 'terminationGracePeriodSeconds'])
  const commands = new Set<string>()
  for (const quote of quotes(page)) {
    if (/^(?:pipegate|process|nodejs)_\w+$/.test(quote)) t.ok(metrics.has(quote), quote)
    if (/^[a-z]+[A-Z]\w+$/.test(quote) && !others.has(quote))
      t.ok((SETTING_KEYS as readonly string[]).includes(quote), quote)
    const command = /^pipegate (\w+)/.exec(quote)?.[1]
    if (command !== undefined) commands.add(command)
  }
  for (const command of commands) t.ok(Object.hasOwn(PROGRAM.commands, command), command)
  t.ok(commands.has('health') && commands.has('check'))
})

t.test('files that are named or linked', async (t) => {
  const linked = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => join('docs', link!))
  const named = page.match(/deploy\/[\w./@-]*\w/g)!
  t.ok(linked.length > 5 && named.length > 5)
  for (const file of [...linked, ...named]) t.ok(existsSync(join(PROJECT, file)), file)
})
