/** npm run docs:cli: writes the manual pages, and the part of docs/cli.md that follows from the descriptions. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT } from '../../support/project.js'
import { pages } from './pages.js'

const made = await pages()
rmSync(join(PROJECT, 'man'), { recursive: true, force: true })
mkdirSync(join(PROJECT, 'man'))
for (const [path, text] of made) writeFileSync(join(PROJECT, path), text)
