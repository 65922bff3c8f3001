/** `pipegate completion`: what bash, zsh and fish make of it. */

import t from 'tap'
import { PROGRAM } from '../../../gateway/program.js'
import { runProgram } from '../../support/program.js'
import { Completer, SHELLS } from './shells.js'

const COMMANDS = Object.keys(PROGRAM.commands)

for (const shell of SHELLS) {
  t.test(shell, async (t) => {
    const dir = t.testdir({ 'secret one.txt': '', certs: { 'ca.pem': '' }, 'pipegate.yaml': '' })
    const completer = new Completer(shell, dir)
    const has = (line: string, wanted: string[], absent: string[] = []) => {
      const offered = completer.offers(line)
      for (const word of wanted) t.ok(offered.includes(word), `${line}: ${word} is one of ${offered.join(' ')}`)
      for (const word of absent) t.notOk(offered.includes(word), `${line}: ${word}`)
    }
    t.equal(completer.problems(), '')
    has('pipegate ', COMMANDS)
    t.same(completer.offers('pipegate wat'), ['watch'])
    has('pipegate watch --', ['--timeout', '--token', '--json', '--help'], ['--port', '--secret-file'])
    t.same(completer.offers('pipegate watch --time'), ['--timeout'])
    has('pipegate serve --', ['--port', '--no-bare-names', '--config'], ['--token'])
    t.same(completer.offers('pipegate link u --right '), ['receive', 'watch'])
    t.same(completer.offers('pipegate serve --log-level de'), ['debug'])
    t.same(
      completer.offers('pipegate serve --log-level=de').map((each) => each.replace(/^.*=/, '')),
      ['debug'],
    )
    has('pipegate serve --config ', ['pipegate.yaml', 'certs'])
    has('pipegate watch u --cacert certs/', [shell === 'zsh' ? 'ca.pem' : 'certs/ca.pem'])
    t.same(completer.offers('pipegate watch --timeout '), [], 'nothing for what nobody can guess')
    t.same(completer.offers('pipegate completion z'), ['zsh'])
    t.same(completer.offers('pipegate help doc'), ['doctor'])
    has('pipegate help watch ', [], ['--timeout'])
  })
}

t.test('another shell', async (t) => {
  const { code, stderr } = await runProgram(t, ['completion', 'zhs'])
  t.equal(code, 2)
  t.match(stderr, /^pipegate: SHELL: found "zhs", expected one of bash, zsh, fish; did you mean zsh\?\nusage: /)
})
