import fc from 'fast-check'
import t from 'tap'
import { NamePattern } from '../../../gateway/host/name-pattern.js'

const covers = (pattern: string, name: string) => new NamePattern(pattern).covers(name)

t.test('patterns and the names they cover', async (t) => {
  const cases: readonly (readonly [pattern: string, covered: readonly string[], not: readonly string[]])[] = [
    ['jobs', ['jobs'], ['job', 'jobss', 'Jobs', 'jobs/', 'a/jobs', '']],
    ['jobs/*', ['jobs/a', 'jobs/'], ['jobs', 'jobs/a/b', 'xjobs/a']],
    ['jobs/**', ['jobs/a', 'jobs/a/b', 'jobs/'], ['jobs', 'jobsa/b']],
    ['*', ['jobs', 'a.b'], ['a/b', '/']],
    ['**', ['jobs', 'a/b/c'], []],
    ['*/logs', ['a/logs'], ['a/b/logs', 'logs']],
    ['**/logs', ['a/logs', 'a/b/logs'], ['logs', 'a/logs/b']],
    ['a*c', ['ac', 'abc', 'abcbc'], ['abcb', 'a/c', 'ab/c']],
    ['a**c', ['ac', 'a/c', 'ab/bc'], ['acb']],
    ['a*b*c', ['abc', 'axbxbxc'], ['axbx/c', 'acb']],
    ['a***', ['a', 'a/b'], ['b']],
    // Nothing but the star is special.
    ['a.c', ['a.c'], ['abc']],
    ['a?[b](c)|d+$', ['a?[b](c)|d+$'], ['a', 'd']],
    // One spelling of escapes and of other characters than ASCII.
    ['caf%c3%a9', ['caf%C3%A9'], ['caf%c3%a9']],
    ['café/*', ['caf%C3%A9/x'], ['café/x']],
    ['\ud800', [], ['\ud800', '%EF%BF']],
    ['', [''], ['a']],
  ]
  for (const [pattern, covered, not] of cases) {
    for (const name of covered) t.ok(covers(pattern, name), `${pattern} covers ${name}`)
    for (const name of not) t.notOk(covers(pattern, name), `${pattern} does not cover ${name}`)
  }
})

t.test('any pattern covers what a regular expression says', async () => {
  const part = fc.constantFrom('a', 'b', '/', '*', '**', '.')
  const names = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 10 }).map((all) => all.join(''))
  const patterns = fc.array(part, { maxLength: 7 }).map((all) => all.join(''))
  fc.assert(
    fc.property(patterns, names, (pattern, name) => {
      const source = pattern.replace(/\*+|[^*]/g, (each) => {
        if (each === '*') return '[^/]*'
        return each.startsWith('*') ? '.*' : each.replace(/[./]/, '\\$&')
      })
      return covers(pattern, name) === new RegExp(`^${source}$`).test(name)
    }),
    { numRuns: 3000 },
  )
})

t.test('no pattern takes long', async (t) => {
  // Backtracking would need more steps than there are atoms.
  const name = 'a'.repeat(1024)
  t.notOk(covers(`${'*a**a'.repeat(100)}b`, name))
  t.ok(covers('**a'.repeat(100), name))
  t.notOk(covers(`${'*a'.repeat(500)}b*`, name))
  t.ok(covers(`${'*a'.repeat(500)}*`, name))
  // More characters than there are in a name.
  t.notOk(covers('*a'.repeat(100_000), name))
})
