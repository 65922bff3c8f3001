/** The commands of docs/tls.md, one after the other, as somebody would run them who reads it from top to bottom. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { MAIN, readProject } from '../support/project.js'
import { dialogue, examplesOf, shown, Terminal, terminals } from './examples.js'

t.test('docs/tls.md', async (t) => {
  const dir = t.testdir({})
  writeFileSync(join(dir, 'pipegate'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 })
  const port = String(await freePort())
  const env = { PATH: `${dir}:${process.env.PATH}`, NO_PROXY: '*', no_proxy: '*', XDG_CONFIG_HOME: dir, CURL_HOME: dir }
  // What a terminal shows without the meter of curl.
  writeFileSync(join(dir, '.curlrc'), 'silent\nshow-error\n')
  const examples = examplesOf(readProject('docs/tls.md')).filter(({ kind }) => kind === 'sh' || kind === 'console')
  const run = (command: string) => {
    const terminal = new Terminal(command.replaceAll('8443', port), dir, env)
    t.teardown(() => terminal.stop())
    return terminal
  }
  const text = (id: string) => examples.find((each) => each.id === id)?.text ?? t.fail(`no example ${id}`)
  const done = async (id: string) => {
    const all = terminals(String(text(id))).map(run)
    for (const each of all) t.equal(await each.done, 0, `${id}: ${each.text}`)
    return all.map((each) => each.text)
  }
  const serving = async (id: string) => {
    const server = run(String(text(id)))
    await eventually(() => /"msg":"listening"/.test(server.text) || server.text)
    return server
  }
  const asShown = async (id: string) => {
    for (const { command, output } of dialogue(String(text(id)))) {
      const terminal = run(command.replace(/ &\n?$/, ''))
      // What goes on in the background is what the next one needs.
      if (output === '') continue
      await terminal.done
      t.match(terminal.text, shown(output), command)
    }
  }

  const first = await serving('try')
  t.equal((await done('try.use'))[0], 'hello\n')
  first.stop()
  await first.done
  await done('clients.make')
  const second = await serving('clients.serve')
  await asShown('clients.use')
  await done('clients.revoke')
  await eventually(() => /"msg":"certificates reloaded"/.test(second.text) || second.text.slice(-500))
  await asShown('clients.revoked')
  t.same(
    examples.map(({ id }) => id),
    ['try', 'try.use', 'clients.make', 'clients.serve', 'clients.use', 'clients.revoke', 'clients.revoked'],
    'there are no others',
  )
})
