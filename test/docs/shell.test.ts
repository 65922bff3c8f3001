/** Every command in the documentation can be pasted into bash and into zsh, and no refusal ends as a file. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { PROJECT, readProject } from '../support/project.js'
import { dialogue, examplesOf } from './examples.js'
import { curlsWithoutFail, unquoted } from './shell-words.js'

const tracked = ['README.md', 'docs/*.md', 'docs/plugins/*.md', 'deploy/*.md', 'examples/*.md']
const files = execFileSync('git', ['ls-files', '-z', ...tracked], { cwd: PROJECT, encoding: 'utf8' })
  .split('\0')
  .filter(Boolean)

t.test('every block', async (t) => {
  let scripts = 0
  for (const file of files) {
    for (const { kind, text } of examplesOf(readProject(file))) {
      if (kind !== 'sh' && kind !== 'console') continue
      const script =
        kind === 'sh'
          ? text
          : dialogue(text)
              .map(({ command }) => command)
              .join('\n')
      scripts++
      t.same(unquoted(script), [], `${file}: to be quoted`)
      // What is shown with its output is there to be read.
      if (kind === 'sh') t.same(curlsWithoutFail(script), [], `${file}: without -f`)
    }
  }
  t.ok(scripts > 60, `${scripts} blocks`)
})

t.test('what is found, and what is none', async (t) => {
  const bad: [script: string, word: string][] = [
    ['curl http://h/a?live', 'http://h/a?live'],
    ['curl http://h/a&n=2', 'http://h/a&n=2'],
    ['curl -g http://[::1]/a', 'http://[::1]/a'],
    ['pipegate receive amber#words', 'amber#words'],
    ['cat a | tee *.txt', '*.txt'],
    ['echo "a" b^', 'b^'],
    ['make =all', '=all'],
  ]
  for (const [script, word] of bad) t.same(unquoted(script), [word], script)
  const good = [
    "curl 'http://h/a?live&n=2' # why?",
    'echo "$(ls *.txt)" "a?" ~/.config $A a\\?',
    'a && b & c 2> d; e > f || g',
    '. <(pipegate completion bash)  # in ~/.bashrc',
  ]
  for (const script of good) t.same(unquoted(script), [], script)
})

t.test('curl without -f', async (t) => {
  const bad = [
    'curl -sS u | tar x',
    'curl -sSo f u',
    'curl -O u',
    'curl u > f',
    'curl --output f u',
    'curl u && touch f',
  ]
  for (const script of bad) t.equal(curlsWithoutFail(script).length, 1, script)
  const good = [
    'curl -fsS u | tar x',
    'curl --fail -o f u',
    'curl u',
    'curl -T f u | cat',
    'tar c x | curl -sST - u',
    'curl -d x u && y',
  ]
  for (const script of good) t.same(curlsWithoutFail(script), [], script)
})
