/** `pipegate doctor` as a user starts it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { description } from '../../../client/doctor/description.js'
import { readOptions } from '../../../client/doctor/options.js'
import { textOf } from '../../../client/doctor/report.js'
import { startNodes } from '../../deploy/front.js'
import { freePort } from '../../support/free-port.js'
import { PROJECT, runProgram } from '../../support/program.js'
import { valuesOf } from '../cli/line.js'

t.test('what it prints, and its exit codes', async (t) => {
  const [node] = await startNodes(t, 1, {})
  const url = `127.0.0.1:${node!.port}`
  const free = await freePort()
  const [text, json, quiet, nobody, wrong, help] = await Promise.all(
    [
      [url, '--silence', '1'],
      [url, '--silence', '1', '--json'],
      ['--server', url, '--silence', '1', '-q'],
      [`127.0.0.1:${free}`],
      ['ftp://x'],
      ['--help'],
    ].map((args) => runProgram(t, ['doctor', ...args], { timeoutMs: 60_000 })),
  )
  t.equal(text!.code, 0)
  t.equal(text!.stderr, '')
  const lines = text!.stdout.trimEnd().split('\n')
  t.equal(lines.filter((line) => line.startsWith('ok    ')).length, 22)
  t.match(lines[0], /^ok {4}reach {15}the gateway answers in /)
  t.equal(lines.at(-1), '22 ok, 0 warnings, 0 failed')
  const events = json!.stdout.trimEnd().split('\n')
  t.equal(events.length, 23)
  const page = readFileSync(join(PROJECT, 'docs/doctor.md'), 'utf8').replace('`, `-length`', '`, `truncation-length`')
  for (const { check } of events.slice(0, -1).map((line) => JSON.parse(line))) t.match(page, `\`${check}\``)
  t.match(JSON.parse(events[1]!), { check: 'meet', verdict: 'ok', measured: { names: 20, met: 20 } })
  t.match(JSON.parse(events.at(-1)!), { result: { ok: 22, warn: 0, fail: 0, skip: 0 }, exitCode: 0 })
  t.match(quiet, { code: 0, stdout: '22 ok, 0 warnings, 0 failed\n', stderr: '' })
  t.match(nobody, {
    code: 2,
    stdout: '',
    stderr: `pipegate: nobody answers at http://127.0.0.1:${free}: ECONNREFUSED\n`,
  })
  t.match(wrong, { code: 2, stderr: /^pipegate: expected an address such as https:\/\/HOST, without a query\nusage: / })
  t.match(help, { code: 0, stdout: /^Usage: pipegate doctor \[URL\] \[flags\]/ })
})

t.test('arguments', async (t) => {
  const read = (...args: string[]) => readOptions(valuesOf(description, args), { PIPEGATE_TOKEN: 'from-env' })
  t.match(read('https://user:p%40ss@host/prefix/', '--silence', '900', '--header', 'X-A: b'), {
    target: { url: { href: 'https://host/prefix/' }, headers: { authorization: 'Basic dXNlcjpwQHNz', 'x-a': 'b' } },
    silenceMs: 900_000,
    json: false,
  })
  t.match(read('host:1'), {
    target: { url: { href: 'http://host:1/' }, headers: { authorization: 'Bearer from-env' } },
  })
  t.match(read('host', '--origin', 'http://localhost:3000'), { target: { origin: 'http://localhost:3000' } })
  t.match(read('--server', 'host:2'), { target: { url: { href: 'http://host:2/' } } })
  t.match(readOptions(valuesOf(description, []), { PIPEGATE_URL: 'https://v/p' }), {
    target: { url: { href: 'https://v/p' } },
  })
  t.match(read('host', '--token', 'said'), { target: { headers: { authorization: 'Bearer said' } } })
  for (const args of [
    [],
    ['a', 'b'],
    ['http://h?q'],
    ['h', '--silence', '0'],
    ['h', '--silence', '3601'],
    ['h', '--origin', 'https://app.example/page'],
    ['h', '--origin', 'app.example'],
    ['h', '--nope'],
    ['h', '--cacert', '/nowhere'],
    ['h', '--cacert', 'package.json'],
  ]) {
    t.throws(() => read(...args), { message: /expected|is missing|unknown flag|--cacert: ENOENT/ }, args.join(' '))
  }
})

t.test('what a server says cannot steer a terminal', async (t) => {
  const finding = { check: 'meet', verdict: 'fail', seen: '401 \u001b[2J', means: 'm', mend: { nginx: 'a;' } } as const
  t.equal(textOf(finding, false), 'fail  meet                401 \\u{1b}[2J\n      m\n      nginx: a;\n')
  t.match(textOf(finding, true), '\u001b[31mfail  \u001b[0m')
})
