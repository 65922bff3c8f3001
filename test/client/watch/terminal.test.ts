/** `pipegate watch` on a terminal: what stands on the screen while it runs, and what it leaves there. */

import t, { type Test } from 'tap'
import { MAIN } from '../../support/program.js'
import { ProgressServer, receipt, snapshot, streaming } from './progress-server.js'
import { Pty } from './pty.js'

const pty = (t: Test, url: string, columns: number, env: Record<string, string> = {}, flags = '') => {
  return new Pty(t, `'${process.execPath}' '${MAIN}' watch '${url}' ${flags}; echo "exit $?"`, { columns, env })
}

t.test('on a terminal: one line that redraws, fits, and ends tidily', async (t) => {
  const server = await ProgressServer.start(t)
  const terminal = pty(t, server.url('logs/migration'), 80)
  const visit = await server.next()
  const shows = (line: string) => terminal.shows((screen) => screen.length === 1 && screen[0] === line, line)
  visit.state(snapshot())
  await shows('logs/migration  nobody is there yet')
  visit.state(streaming({ totalBytes: 7.6e9 }))
  visit.progress({ bytes: 3.2e9, totalBytes: 7.6e9, speed: 283_000, eta: 15_548 })
  await shows('logs/migration  [███▊     ]  42 %   3.2 GB of 7.6 GB   283 kB/s   ETA 4 h 19 m')
  visit.progress({ bytes: 3.2e9, totalBytes: 7.6e9, speed: 0 })
  await terminal.shows((screen) => /^\S+ {2}\[███▊ +\] {2}42 % .* {3}stalled( for \d+ s)?$/.test(screen[0]!), 'stalled')
  terminal.resize(40)
  await terminal.shows((screen) => /^42 % {3}stalled/.test(screen.at(-1)!), 'narrow')
  visit.cut()
  await terminal.shows((screen) => /^connection lost(, trying again.*)?/.test(screen.at(-1)!), 'lost')
  const again = await server.next()
  again.state(streaming())
  again.done(receipt())
  await terminal.ended
  t.same(terminal.screen, ['complete: 7.6 GB in 8 h 2 m, average 283 kB/s', 'exit 0', ''])
  t.match(terminal.text, /\r\x1b\[K\x1b\[32mcomplete: .*\x1b\[39m\r\n/, 'in green')
})

t.test('on a terminal without colour or UTF-8', async (t) => {
  const server = await ProgressServer.start(t)
  const terminal = pty(t, server.url('jobs'), 80, { LC_ALL: 'C', NO_COLOR: '1' })
  const visit = await server.next()
  visit.state(streaming({ bytes: 1, totalBytes: 2 }))
  await terminal.shows((screen) => /^jobs {2}\[#+-+\] {2}50 %/.test(screen[0]!), 'an ASCII bar')
  visit.done(receipt({ state: 'failed', message: 'Weg für immer.', bytes: 1.2e9 }))
  await terminal.ended
  t.same(terminal.screen.slice(0, 2), ['failed: weg f\\u{fc}r immer after 1.2 GB in 8 h 2 m', 'exit 1'])
  t.notMatch(terminal.text, /\x1b\[\d*m|[^\x00-\x7e]/)
})

t.test('Ctrl-C leaves the line and a cursor below it', async (t) => {
  const server = await ProgressServer.start(t)
  // A shell that is interrupted as well, as an interactive one is not: it still tells how its command ended.
  const command = `trap : INT; '${process.execPath}' '${MAIN}' watch '${server.url('jobs')}'; echo "exit $?"`
  const terminal = new Pty(t, command, { columns: 60 })
  const visit = await server.next()
  visit.state(snapshot())
  await terminal.shows((screen) => screen[0] === 'jobs  nobody is there yet', 'the line')
  terminal.type('\x03')
  await terminal.ended
  t.same(terminal.screen, ['jobs  nobody is there yet', 'exit 130', ''])
})

t.test('an error does not stand behind the line', async (t) => {
  const server = await ProgressServer.start(t)
  const terminal = pty(t, server.url('jobs'), 60)
  const visit = await server.next()
  visit.state(snapshot())
  await terminal.shows((screen) => screen[0] === 'jobs  nobody is there yet', 'the line')
  visit.cut()
  ;(await server.next()).refuse(403, '[ERROR] This link expired.')
  await terminal.ended
  t.same(terminal.screen, ['pipegate: This link expired.', 'exit 2', ''])
})
