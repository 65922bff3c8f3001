/** Names on disks that tell fewer of them apart, and on Windows. */

import t from 'tap'
import type { Entry, EntryKind } from '../../../client/archive/entry.js'
import { EntryGuard, type Folding } from '../../../client/archive/entry-guard.js'
import { foldingOf } from '../../../client/archive/folding.js'

const NO_LIMITS = { maxBytes: Number.POSITIVE_INFINITY, maxEntries: Number.POSITIVE_INFINITY }

function admitted(entries: readonly (readonly [string, EntryKind?])[], folding: Folding, windows = false): string {
  const guard = new EntryGuard('', windows, folding, NO_LIMITS)
  try {
    for (const [path, kind = 'file'] of entries) {
      const entry: Entry = { kind, path, size: 0, mode: 0o644, mtimeMs: 0, target: kind === 'link' ? 'x' : '' }
      guard.admit(entry)
    }
    return 'all'
  } catch (error) {
    return (error as Error).message
  }
}

const [exact, macOs, windows] = [
  { case: false, unicode: false },
  { case: true, unicode: true },
  { case: true, unicode: false },
]
const twice = (name: string) =>
  `"${name}" is in the archive twice, or with a name that this disk does not tell from it.`

t.test('upper and lower case', async (t) => {
  t.equal(admitted([['a'], ['A']], exact), 'all')
  t.equal(admitted([['a'], ['A']], macOs), twice('A'))
  t.equal(admitted([['a'], ['A', 'link']], windows), twice('A'))
  t.equal(admitted([['d/x'], ['D/X']], macOs), twice('D/X'))
  t.equal(
    admitted(
      [
        ['d', 'folder'],
        ['D', 'folder'],
      ],
      macOs,
    ),
    twice('D'),
    'two folders would become one',
  )
  t.equal(
    admitted(
      [
        ['d', 'folder'],
        ['d', 'folder'],
      ],
      macOs,
    ),
    'all',
  )
  t.equal(admitted([['d', 'folder'], ['D']], macOs), twice('D'))
  t.equal(admitted([['ÄÖ'], ['äö']], macOs), twice('äö'))
})

t.test('an accent, in one character or in two', async (t) => {
  const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301']
  t.equal(admitted([[composed], [decomposed]], exact), 'all')
  t.equal(admitted([[composed], [decomposed]], windows), 'all')
  t.equal(admitted([[composed], [decomposed]], macOs), twice(decomposed))
})

t.test('this disk is asked', async (t) => {
  const folder = t.testdir()
  t.same(foldingOf(folder), process.platform === 'linux' ? exact : { case: Boolean, unicode: Boolean })
})

t.test('Windows', async (t) => {
  for (const name of ['con', 'NUL.txt', 'a/aux/b', 'COM1', 'lpt9.log', 'com¹']) {
    t.match(admitted([[name]], windows, true), /cannot be a name on Windows: ".*" is a device\.$/, name)
    t.equal(admitted([[name]], exact), 'all', `${name} elsewhere`)
  }
  for (const name of ['a:b', 'file:stream', 'a?', 'a*', 'a<b', 'a|b', '"a"', 'ends.', 'ends ', 'a/b./c', 'a\\b']) {
    t.match(admitted([[name]], windows, true), /cannot be a name on Windows\.$/, name)
    t.equal(admitted([[name]], exact), 'all', `${name} elsewhere`)
  }
  for (const name of ['console', 'null', 'a.b', '.hidden', 'com10', 'ünï'])
    t.equal(admitted([[name]], windows, true), 'all', name)
})
