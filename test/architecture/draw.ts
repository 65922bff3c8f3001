import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT } from '../support/program.js'
import { withDrawing } from './drawing.js'
import { importsOf } from './imports.js'

/** `npm run docs:rooms`: draws the rooms into docs/architecture.md. */
const page = join(PROJECT, 'docs/architecture.md')
writeFileSync(page, withDrawing(readFileSync(page, 'utf8'), await importsOf(PROJECT)))
