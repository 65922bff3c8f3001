import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { PROJECT } from '../support/program.js'
import { withDrawing } from './drawing.js'
import { type Import, importsOf } from './imports.js'
import { ROOMS } from './rooms.js'
import { circles, forbidden } from './rules.js'

const FOLDERS = ['core', 'gateway', 'plugins', 'client']

/** Most lines of a file. */
const MOST_LINES = 300
/** Files that may be longer, and why. */
const LONGER: Readonly<Record<string, string>> = {
  'gateway/native/face.c': 'the functions that JavaScript calls, a few lines each',
  'gateway/native/sockets/reads.c': 'one call, recv(), in all the states that a connection can be in',
  'gateway/native/sockets/writes.c': 'the same of send()',
}

const IMPORTS = await importsOf(PROJECT)

t.test('the imports of the tree', async (t) => {
  t.ok(IMPORTS.length > 500, 'imports have been read')
  t.same(forbidden(IMPORTS), [], 'every import is allowed by the table of rooms')
  t.same(circles(IMPORTS.filter(({ isLocal }) => isLocal)), [], 'no circle, types included')
  const page = readFileSync(join(PROJECT, 'docs/architecture.md'), 'utf8')
  t.equal(page, withDrawing(page, IMPORTS), 'docs/architecture.md shows the rooms as they are: npm run docs:rooms')
})

t.test('the C files include no circle', async (t) => {
  const folder = join(PROJECT, 'gateway/native')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.[ch]$/.test(file))
  const arrows = files.flatMap((from) => {
    const text = readFileSync(join(folder, from), 'utf8')
    return [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, to]) => ({ from: basename(from), to: to! }))
  })
  t.ok(arrows.length > 3)
  t.same(circles(arrows), [])
})

t.test('every room says what it is', async (t) => {
  for (const { path } of ROOMS.filter(({ path }) => !path.endsWith('.ts'))) {
    t.match(readFileSync(join(PROJECT, path, 'README.md'), 'utf8'), /\bimports?\b/i, path)
  }
})

t.test('a file is one concept', async (t) => {
  const sizes = FOLDERS.flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|c|h)$/.test(file))
      .map((file) => join(folder, file))
      .map((file) => ({ file, lines: readFileSync(join(PROJECT, file), 'utf8').split('\n').length - 1 })),
  )
  const long = sizes.filter(({ lines }) => lines > MOST_LINES).map(({ file }) => file)
  t.same(long.sort(), Object.keys(LONGER).sort(), `files over ${MOST_LINES} lines`)
  const sorted = sizes.map(({ lines }) => lines).sort((a, b) => a - b)
  t.ok(sorted[sorted.length >> 1]! < 120, `half of the files have less than 120 lines (${sorted[sorted.length >> 1]})`)
})

/** The sources, in a folder where arrows can be planted. */
const garden = t.testdir()
for (const folder of FOLDERS)
  cpSync(join(PROJECT, folder), join(garden, folder), { recursive: true, filter: (path) => !/\.node$/.test(path) })

/** The imports of the tree with a line planted in this file: it alone is read again. */
async function planted(file: string, line: string): Promise<Import[]> {
  const path = join(garden, file)
  writeFileSync(path, `${line}\n${readFileSync(path, 'utf8')}`)
  const others = IMPORTS.filter(({ from }) => from !== file)
  const own = await importsOf(garden, file)
  if (others.length + own.length <= IMPORTS.length) throw new Error(`nothing was planted in ${file}`)
  return [...others, ...own]
}

t.test('a planted arrow is found', async (t) => {
  const up = await planted('core/flow/window.ts', "import type { Answer } from '../../gateway/http/response/answer.js'")
  t.match(forbidden(up), [
    /^core\/flow\/window\.ts imports gateway\/http\/response\/answer\.ts: core may import nothing$/,
  ])
})

t.test('a planted circle of types is found', async (t) => {
  const round = await planted('core/bytes.ts', "import type { Window } from './flow/window.js'")
  const [circle = [], ...more] = circles(round.filter(({ isLocal }) => isLocal))
  t.same(more, [])
  t.ok(circle.includes('core/bytes.ts') && circle.includes('core/flow/window.ts'))
})

t.test('a planted use of the engine is found', async (t) => {
  const engine = await planted('gateway/router/router.ts', "import type { HttpResponse } from 'uWebSockets.js'")
  t.match(forbidden(engine), [/^gateway\/router\/router\.ts imports uWebSockets\.js: only gateway\/uws may$/])
})

t.test('a plugin that looks into the gateway, or into another plugin, is found', async (t) => {
  const inside = await planted(
    'plugins/cors/headers.ts',
    "import '../../gateway/http/parameters.js'\nimport '../limits/scope.js'",
  )
  t.match(forbidden(inside), [/plugins may import/, /a plugin does not import another one/])
})
