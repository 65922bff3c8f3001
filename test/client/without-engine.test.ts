/** What people run against a gateway, on a machine where none can run: the engine is an optional dependency. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { COMMANDS } from '../../client/commands.js'
import { VERSION } from '../gateway/serve/process.js'
import { curl, curlDone } from '../support/curl.js'
import { packed, unpackInto } from '../support/installed-package.js'
import { type Program, runProgram, startProgram } from '../support/program.js'
import { sample } from '../support/thorough.js'

const home = mkdtempSync(join(tmpdir(), 'pipegate-client-'))
t.teardown(() => rmSync(home, { recursive: true, force: true }))
const linked = unpackInto(join(home, 'linked/node_modules'), ['uWebSockets.js'])
const secret = join(home, 'secret')
writeFileSync(secret, 'a-secret-of-thirty-two-characters!')

interface Case {
  readonly args: (gateway: Program) => readonly string[]
  readonly says: RegExp
  /** Its exit code. The default is 0. */
  readonly code?: number
  /** What it says on standard error. The default is nothing. */
  readonly adds?: RegExp
  /** What curl does at the same time on the other side, and gets. */
  readonly other?: { readonly args: (gateway: Program) => readonly string[]; readonly gets: RegExp }
}

/** Every command that needs no server of its own, by its name, against a running gateway over which `watched` has been sent. */
const CASES: Readonly<Record<string, Case>> = {
  '--help': { args: () => ['--help'], says: /^Usage: pipegate / },
  '--version': { args: () => ['--version'], says: new RegExp(`^${VERSION}\n$`) },
  health: { args: ({ port }) => ['health', '--port', `${port}`], says: /"status":"ok"/ },
  token: { args: () => ['token'], says: /^pg_\S+\n/ },
  link: {
    args: ({ base }) => ['link', `${base}x`, '--secret-file', secret, '--right', 'watch'],
    says: /^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/pipe\/x\?/,
  },
  send: {
    args: ({ base }) => ['send', '--text', 'from there', '--name', 'sent', '--server', new URL(base).origin],
    says: /Sending text/,
    other: { args: (gateway) => [gateway.url('sent')], gets: /^from there$/ },
  },
  receive: {
    args: ({ base }) => ['receive', 'taken', '--server', new URL(base).origin, '-o', '-'],
    says: /^from here$/,
    adds: /./,
    other: { args: (gateway) => ['-d', 'from here', gateway.url('taken')], gets: /Transfer complete/ },
  },
  forward: {
    args: ({ base }) => ['forward', '--listen', '0', 'nobody', '--wait', '1', '--server', new URL(base).origin],
    says: /Timed out waiting for the other side\./,
    code: 3,
  },
  watch: { args: ({ base }) => ['watch', `${base}watched`], says: /^complete: 4 B in / },
  doctor: { args: ({ base }) => ['doctor', new URL(base).origin, '--silence', '1'], says: / 0 failed\n$/ },
}

t.test('every command of the client has a case here', async (t) => {
  for (const name of Object.keys(COMMANDS)) t.ok(name in CASES, name)
})

/** What the commands do, installed as `command`. */
async function allWork(t: Test, command: string, atMost = Number.POSITIVE_INFINITY): Promise<void> {
  const gateway = await startProgram(t)
  const receiver = curl([gateway.url('watched')])
  await curlDone(['-d', 'seen', gateway.url('watched')])
  await receiver.result
  // A command without a case fails the test above.
  const cases = Object.entries(CASES).filter(([name]) => /^--|^health$/.test(name) || name in COMMANDS)
  for (const [name, { args, says, code = 0, adds = /^$/, other }] of sample(cases, atMost)) {
    const otherSide = other && curlDone(other.args(gateway))
    const exit = await runProgram(t, args(gateway), { command: [command], timeoutMs: 60_000 })
    t.equal(exit.code, code, `${name}: ${exit.stderr}`)
    t.match(exit.stderr, adds, name)
    t.match(exit.stdout, says, name)
    if (other !== undefined) t.match((await otherSide)!.stdout.toString(), other.gets, name)
  }
}

t.test('they work without the engine', (t) => allWork(t, linked))

t.test('what needs the engine says what is missing, and what to do', async (t) => {
  for (const command of ['serve', 'check']) {
    const exit = await runProgram(t, [command, '--port', '0'], { command: [linked] })
    t.same([exit.code, exit.stdout], [1, ''])
    t.match(
      exit.stderr,
      /^pipegate: uWebSockets\.js is not installed, .*: found Node v\S+ on \S+ \S+, expected .*\. .* npm install --include=optional; .*\n$/,
    )
    t.equal(exit.stderr.split('\n').length, 2, 'one line')
  }
})

t.test('npm installs it for Windows, and without the engine, and they work', async (t) => {
  const folder = join(home, 'installed')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const flags = ['--os=win32', '--cpu=x64', '--omit=optional', '--prefer-offline', '--no-audit', '--no-fund']
  const npm = spawnSync('npm', ['install', ...flags, '--foreground-scripts', packed()], {
    cwd: folder,
    encoding: 'utf8',
  })
  t.equal(npm.status, 0, npm.stderr)
  t.match(npm.stdout, 'node gateway/native/prune.js', 'what runs after the installation has run')
  t.notOk(existsSync(join(folder, 'node_modules/uWebSockets.js')))
  await allWork(t, join(folder, 'node_modules/.bin/pipegate'), 4)
})
