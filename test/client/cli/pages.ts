/** The pages that are made from the descriptions of the commands. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { descriptionsOf } from '../../../client/cli/help.js'
import { commandPage, programPage } from '../../../client/cli/pages/man.js'
import { commandsMarkdown } from '../../../client/cli/pages/markdown.js'
import { PROGRAM } from '../../../gateway/program.js'
import { PROJECT } from '../../support/project.js'

const MADE = /(<!-- commands:begin[^>]*-->\n)[\s\S]*?(<!-- commands:end -->)/

/** Every page by its path, as it has to be. */
export async function pages(): Promise<Map<string, string>> {
  const descriptions = await descriptionsOf(PROGRAM)
  const made = new Map([['man/pipegate.1', programPage(PROGRAM, descriptions)]])
  for (const each of descriptions) made.set(`man/pipegate-${each.name}.1`, commandPage(each, PROGRAM))
  const text = commandsMarkdown(PROGRAM, descriptions)
  const page = readFileSync(join(PROJECT, 'docs/cli.md'), 'utf8')
  return made.set(
    'docs/cli.md',
    page.replace(MADE, (_, begin, end) => `${begin}${text}\n${end}`),
  )
}
