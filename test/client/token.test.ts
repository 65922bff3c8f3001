/** `pipegate token`: what it prints can be put into the configuration. */

import t from 'tap'
import { parse } from 'yaml'
import { WrongUsage } from '../../client/cli/wrong-usage.js'
import { run } from '../../client/token/command.js'
import { description } from '../../client/token/description.js'
import { TOKENS } from '../../plugins/auth-bearer/entries.js'
import { digestOf } from '../../plugins/auth-bearer/token-table.js'
import { parseList } from '../../plugins/grants/list-file.js'
import { valuesOf } from './cli/line.js'

t.test('pipegate token', async (t) => {
  const token = (...argv: string[]) => run(valuesOf(description, argv))
  const argv = ['--name', 'ci', '--project', 'P', '--rights', 'send,receive', '--names', 'a/*,b', '--names', 'c/**']
  const { text, exitCode } = token(...argv)
  const [made = '', ...rest] = text.split('\n')
  const entry = { name: 'ci', project: 'P', rights: ['send', 'receive'], names: ['a/*', 'b', 'c/**'] }
  t.same([exitCode, parse(rest.join('\n'))], [0, [{ ...entry, hash: `sha256:${digestOf(made).toString('hex')}` }]])
  t.equal(parseList(rest.join('\n'), 'f', TOKENS).length, 1, 'can be pasted into a file')
  t.match(parse(token().text.split('\n').slice(1).join('\n')), [{ name: /^token-[0-9a-f]{8}$/ }])
  for (const wrong of [['--rights', 'fly'], ['--name', 'a b'], ['--names', '/a'], ['--nmae', 'x'], ['stray']]) {
    const said = t.throws(() => token(...wrong), WrongUsage) as Error
    t.notMatch(said.message, /pg_/, wrong.join(' '))
  }
})
