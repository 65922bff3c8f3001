/** The manual pages and docs/cli.md: as the descriptions have it, and fit for those who read them. */

import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { describe } from '../../../client/cli/description.js'
import { list, on, single } from '../../../client/cli/flags.js'
import { commandPage } from '../../../client/cli/pages/man.js'
import { text } from '../../../client/cli/values.js'
import { PROGRAM } from '../../../gateway/program.js'
import { PROJECT } from '../../support/project.js'
import { pages } from './pages.js'

const PAGES = readdirSync(join(PROJECT, 'man')).map((name) => join(PROJECT, 'man', name))

t.test('they follow from the descriptions: npm run docs:cli', async (t) => {
  for (const [path, wanted] of await pages()) t.equal(readFileSync(join(PROJECT, path), 'utf8'), wanted, path)
  const { man } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
  const names = ['pipegate', ...Object.keys(PROGRAM.commands).map((name) => `pipegate-${name}`)]
  t.same(
    man,
    names.sort().map((name) => `./man/${name}.1`),
    'package.json has all of them',
  )
  t.same(PAGES.map((path) => basename(path)).sort(), names.map((name) => `${name}.1`).sort(), 'and there are no others')
})

t.test('groff and mandoc have nothing to say against them', async (t) => {
  for (const path of PAGES) {
    t.equal(problems(path), '', path)
    t.notMatch(readFileSync(path, 'utf8'), /[^\x20-\x7e\n]/, 'ASCII')
  }
})

t.test('they read as they should', async (t) => {
  const watch = shown(join(PROJECT, 'man/pipegate-watch.1'))
  t.match(watch, /^PIPEGATE-WATCH\(1\) +pipegate manual/)
  t.match(watch, /\n {7}-q, --quiet\n {14}Print only how it ended\./)
  t.match(watch, /\n {7}--header 'NAME: VALUE'\n/)
  t.match(watch, /\n {9}pipegate watch https:\/\/pipe\.example\.org\/migration && \.\/next-step\n/)
  t.match(shown(join(PROJECT, 'man/pipegate.1')), /\n {7}pipegate watch URL \[flags\]\n {14}Shows the progress/)
})

t.test('whatever a description says, no macro and no escape comes of it', async (t) => {
  const odd = describe({
    name: 'odd',
    summary: 'does .SH and \\fBnothing\\fR',
    section: 'Access',
    arguments: {},
    flags: {
      dotted: on(".TH is no macro here. 'sp neither. And \\n is no escape."),
      pattern: single(text("'a-b'|.c"), 'A back\\slash, and a --flag.', { short: 'p' }),
      lines: list(text('\\e'), 'Some.'),
    },
    about: ["'quoted' at the beginning", '.dotted at the beginning'],
    examples: [{ run: '.profile\n\'x\' -y "\\n"', does: 'a line that begins with a dot' }],
    exits: { 0: '.' },
  })
  const path = join(t.testdir({ 'odd.1': commandPage(odd, PROGRAM) }), 'odd.1')
  t.equal(problems(path), '')
  const page = shown(path)
  for (const line of [
    'does .SH and \\fBnothing\\fR',
    "'quoted' at the",
    '.dotted at the',
    ".TH is no macro here. 'sp neither.",
    'And \\n is no escape.',
    "-p, --pattern 'a-b'|.c",
    '--lines \\e',
    '.profile',
    '\'x\' -y "\\n"',
    'A back\\slash, and a --flag.',
  ]) {
    t.ok(page.replace(/\s+/g, ' ').includes(line), `${line} in ${page}`)
  }
})

/** What both say, but that there is no date, which is on purpose. */
function problems(path: string): string {
  const mandoc = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', path], { encoding: 'utf8' })
  const groff = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z', path], { encoding: 'utf8' })
  const lines = (mandoc.stdout + mandoc.stderr + groff.stdout + groff.stderr).split('\n')
  return lines.filter((line) => !line.includes('missing date')).join('\n')
}

/** As `man` shows it, without its bold and its underlines. */
function shown(path: string): string {
  const text = execFileSync('groff', ['-man', '-Tascii', '-P-c', '-rLL=100n', path], { encoding: 'utf8' })
  return text.replace(/.\u0008/g, '')
}
