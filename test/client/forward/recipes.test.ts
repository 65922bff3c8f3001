/** The recipes of docs/forward.md, run as they are printed but for ports and paths: PostgreSQL, SSH, HTTP, gRPC. */

import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { description } from '../../../client/forward/description.js'
import { examplesOf, Terminal, terminals } from '../../docs/examples.js'
import { startPostgres } from '../../docs/postgres.js'
import { withPython } from '../../docs/python.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { startProgram } from '../../support/program.js'
import { MAIN, readProject } from '../../support/project.js'

t.setTimeout(120_000)

const PAGE = readProject('docs/forward.md')
const EXAMPLES = [...examplesOf(PAGE), ...examplesOf(readProject('README.md')).filter(({ kind }) => kind === 'shell')]

interface Recipe {
  readonly dir: string
  /** What stands there, and what is meant here. */
  readonly means: Readonly<Record<string, string>>
  readonly env?: NodeJS.ProcessEnv
  /** A service that one of the terminals starts listens there. */
  readonly service?: number
}

/** Runs one to the end of its last terminal, and returns what that has printed. The others go on until then. */
async function cook(t: Test, id: string, { dir, means, env = {}, service }: Recipe): Promise<string> {
  const gateway = await startProgram(t)
  const { text } = EXAMPLES.find((example) => example.id === id)!
  const own = Object.entries(means).reduce((all, [shown, meant]) => all.replaceAll(shown, meant), text)
  const variables = {
    PATH: `${join(dir, '.bin')}:${process.env.PATH}`,
    XDG_CONFIG_HOME: dir,
    PIPEGATE_URL: new URL(gateway.base).origin,
    LC_ALL: 'C.UTF-8',
    NO_PROXY: '*',
    ...env,
  }
  const commands = terminals(own)
  const [last] = commands.splice(-1)
  const others = commands.map((command) => new Terminal(command, dir, variables))
  for (const other of others) t.teardown(() => other.stop())
  const met = () => others.filter((other) => other.text.includes('The other side is there.')).length
  await eventually(() => met() === 2 || others.map((other) => other.text).join('---\n'))
  if (service !== undefined) await eventually(() => isThere(service))
  const done = new Terminal(last!, dir, variables)
  t.teardown(() => done.stop())
  t.equal(await done.done, 0, done.text + others.map((other) => other.text).join('---\n'))
  return done.text
}

function isThere(port: number): Promise<true | string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(`nobody listens on ${port}`)).once('connect', () => resolve(true))
    socket.once('connect', () => socket.destroy())
  })
}

/** A folder with a short path, and the program in `.bin`. */
function desk(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'forward-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, '.bin'))
  script(dir, 'pipegate', `exec '${process.execPath}' '${MAIN}' "$@"`)
  return dir
}

function script(dir: string, name: string, line: string): void {
  writeFileSync(join(dir, '.bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
}

t.test('no recipe that is not run', async (t) => {
  const shown = EXAMPLES.filter(({ kind }) => kind === 'sh' || kind === 'shell').map(({ id }) => id)
  t.same(shown, ['forward.http', 'forward.postgres', 'forward.ssh', 'forward.grpc', 'forward.readme'])
})

t.test('every exit code', async (t) => {
  const told = [...PAGE.matchAll(/^\| (\d[\d, ]*) \|/gm)].flatMap(([, codes]) => codes!.split(', '))
  t.same([...new Set(told)].sort(), Object.keys(description.exits).sort())
})

t.test('HTTP', async (t) => {
  const web = createServer((_, response) => response.end('from behind it'))
  const port = await listenOnLoopback(web)
  t.teardown(() => web.close())
  for (const id of ['forward.http', 'forward.readme']) {
    const text = await cook(t, id, { dir: desk(t), means: { 3000: `${port}`, 3001: `${await freePort()}` } })
    t.match(text, /from behind it/)
  }
})

t.test('PostgreSQL', async (t) => {
  const dir = desk(t)
  // Whom the server belongs to goes in and out there.
  chmodSync(dir, 0o755)
  const data = join(dir, 'pg')
  mkdirSync(data)
  const { PGUSER } = startPostgres(data, t)
  const means = { '/var/run/postgresql': data, 5433: `${await freePort()}` }
  // Compared with what was there by the teardown of startPostgres.
  await cook(t, 'forward.postgres', { dir, means, env: { PGUSER } })
  t.ok(readFileSync(join(dir, 'shop.sql')).length > 1_000_000)
})

t.test('SSH: 50 MB by scp, and a session', async (t) => {
  const dir = desk(t)
  const port = await startSshd(t, dir)
  const bytes = randomBytes(50_000_000)
  writeFileSync(join(dir, 'backup.tar'), bytes)
  mkdirSync(join(dir, 'srv'))
  const means = { '/srv/backups': join(dir, 'srv'), '--connect 22 ': `--connect ${port} `, 2222: `${await freePort()}` }
  const text = await cook(t, 'forward.ssh', { dir, means })
  t.match(text, createHash('sha256').update(bytes).digest('hex'))
})

/** An OpenSSH server for this user, and an `ssh` and an `scp` that are let in. */
async function startSshd(t: Test, dir: string): Promise<number> {
  const key = (name: string) => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)])
    return join(dir, name)
  }
  const [host, own] = [key('host'), key('own')]
  const port = await freePort()
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${host}`,
    `AuthorizedKeysFile ${own}.pub`,
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'PermitRootLogin yes',
    'Subsystem sftp internal-sftp',
  ]
  writeFileSync(join(dir, 'sshd'), `${lines.join('\n')}\n`)
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true })
  const sshd = execFileSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v sshd'], { encoding: 'utf8' }).trim()
  const server = spawn(sshd, ['-D', '-e', '-f', join(dir, 'sshd')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  server.stderr.on('data', (text) => {
    said += text
  })
  const ended = new Promise((resolve) => server.once('close', resolve))
  t.teardown(() => {
    server.kill('SIGKILL')
    return ended
  })
  await eventually(() => said.includes('Server listening') || `sshd says ${said}`)
  const config = [
    `IdentityFile ${own}`,
    'IdentitiesOnly yes',
    'StrictHostKeyChecking no',
    'UserKnownHostsFile /dev/null',
    'BatchMode yes',
  ]
  writeFileSync(join(dir, 'ssh_config'), `${config.join('\n')}\n`)
  const path = 'PATH=$(printf %s "$PATH" | cut -d: -f2-)'
  for (const name of ['ssh', 'scp']) script(dir, name, `${path}\nexec ${name} -F '${join(dir, 'ssh_config')}' "$@"`)
  return port
}

t.test('gRPC: a stream in both directions, message by message', async (t) => {
  const dir = desk(t)
  withPython(dir, 'grpc')
  const service = await freePort()
  const means = { 50051: `${service}`, 50052: `${await freePort()}` }
  for (const { kind, text } of EXAMPLES) {
    const file = /^# (\w+\.py)\n/.exec(text)?.[1]
    if (kind !== 'python' || file === undefined) continue
    const own = Object.entries(means).reduce((all, [shown, meant]) => all.replaceAll(shown, meant), text)
    writeFileSync(join(dir, file), own)
  }
  t.equal(await cook(t, 'forward.grpc', { dir, means, service }), 'BOTH\nWAYS\nAT ONCE\n')
})
