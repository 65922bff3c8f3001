/** The executable of deploy/single-file, built as its users build it. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { VERSION } from '../gateway/serve/process.js'
import { curl, curlDone } from '../support/curl.js'
import { Program, runProgram } from '../support/program.js'
import { PROJECT } from '../support/project.js'
import { isThorough } from '../support/thorough.js'

/** It takes half a minute where nothing else runs. */
const BUILD_MS = 240_000
const START_MS = 60_000

const home = mkdtempSync(join(tmpdir(), 'pipegate-single-'))
t.teardown(() => rmSync(home, { recursive: true, force: true }))
const executable = join(home, 'bin/pipegate')
const cache = join(home, 'cache')
const HERE = { XDG_CACHE_HOME: cache }

const skip = process.platform !== 'linux' ? 'it is built for Linux only' : !isThorough && 'it takes a minute: at night'

t.test('it is built', { skip, bail: true }, async (t) => {
  const build = spawnSync('bash', [join(PROJECT, 'deploy/single-file/build.sh'), executable], {
    cwd: home,
    encoding: 'utf8',
    timeout: BUILD_MS,
  })
  t.equal(build.status, 0, build.stderr)
  t.same(readdirSync(home).sort(), ['bin'], 'nothing is left beside it')
  const { size } = statSync(executable)
  t.ok(size < 150_000_000, `${size} bytes`)
  t.comment(`${size} bytes`)
})

/** Runs it where there is no Node, no project and no network that it could need. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = HERE) {
  return {
    command: [
      '/usr/bin/env',
      'PATH=/nowhere',
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      executable,
    ] as const,
    args,
  }
}

t.test('--version, twice: what it unpacks is for this user only, and is written once', { skip }, async (t) => {
  const { command, args } = run(['--version'])
  const exit = await runProgram(t, args, { command, timeoutMs: START_MS })
  t.same([exit.code, exit.stdout, exit.stderr], [0, `${VERSION}\n`, ''])
  const [folder, ...others] = readdirSync(join(cache, 'pipegate'))
  t.same(others, [])
  const path = join(cache, 'pipegate', folder!)
  t.equal(statSync(join(cache, 'pipegate')).mode & 0o777, 0o700)
  const main = join(path, 'dist/gateway/main.js')
  const written = statSync(main).mtimeMs
  rmSync(join(path, 'package.json'))
  t.equal(
    (await runProgram(t, args, { command, timeoutMs: START_MS })).stdout,
    `${VERSION}\n`,
    'a file that was lost is back',
  )
  t.equal(statSync(main).mtimeMs, written)
})

t.test('it serves, with its native helper, pages and plugins of others', { skip }, async (t) => {
  const folder = join(home, 'plugin')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'hello.mjs'),
    `import { definePlugin, PLUGIN_API, textAnswer, z } from 'pipegate/plugin'
    export default definePlugin({ name: 'hello', api: PLUGIN_API, config: z.strictObject({}), setup: () => ({
      routes: [{ method: 'GET', path: '/hello', handle: (_, reply) => void reply.give(textAnswer(200, 'hello')) }] }) })`,
  )
  writeFileSync(join(folder, 'pipegate.yaml'), 'plugins: [./hello.mjs]')
  const { command, args } = run(['serve', '--port', '0', '--config', join(folder, 'pipegate.yaml')])
  const program = new Program(t, args, { command })
  await program.waitForLog('listening', 1, START_MS)
  t.equal(program.logged('no sender can hold the event loop').length, 1)
  const receiver = curl([program.url('through')])
  const body = Buffer.alloc(5_000_000, 'single')
  t.equal((await curlDone(['-T', '-', program.url('through')], { input: body })).code, 0)
  t.ok((await receiver.result).stdout.equals(body))
  t.equal((await curlDone([program.url('hello')])).stdout.toString(), 'hello')
  const page = await curlDone(['-H', 'Accept: text/html', new URL('/', program.base).href])
  t.match(page.stdout.toString(), /<!doctype html>/i)
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})

t.test('it loads nothing from a folder that somebody else could have made', { skip }, async (t) => {
  const elsewhere = join(home, 'elsewhere')
  mkdirSync(elsewhere)
  symlinkSync(elsewhere, join(home, 'linked'))
  mkdirSync(join(home, 'trap'))
  symlinkSync(elsewhere, join(home, 'trap/pipegate'))
  const temporary = join(home, 'temporary')
  mkdirSync(temporary)
  const { command, args } = run(['--version'], { XDG_CACHE_HOME: join(home, 'trap'), TMPDIR: temporary })
  const exit = await runProgram(t, args, { command, timeoutMs: START_MS })
  t.same([exit.code, exit.stdout], [0, `${VERSION}\n`], 'it takes the next place')
  t.same(readdirSync(elsewhere), [])
  t.same(readdirSync(temporary), [`pipegate-${process.getuid?.()}`])

  rmSync(join(temporary, `pipegate-${process.getuid?.()}`), { recursive: true })
  symlinkSync(elsewhere, join(temporary, `pipegate-${process.getuid?.()}`))
  const none = await runProgram(t, args, { command, timeoutMs: START_MS })
  t.equal(none.code, 1)
  t.match(
    none.stderr,
    /^pipegate: nowhere to unpack .*found .*trap\/pipegate, which is no folder that only this user can write to; .*\n$/,
  )
  t.same(readdirSync(elsewhere), [])
})

t.test(
  'one that others can read is closed to them, and one that they can write to is not used',
  { skip },
  async (t) => {
    const version = async (env: Readonly<Record<string, string>>) => {
      const { command, args } = run(['--version'], env)
      return (await runProgram(t, args, { command, timeoutMs: START_MS })).stdout
    }
    const place = join(home, 'open/pipegate')
    mkdirSync(place, { recursive: true })
    chmodSync(place, 0o755)
    t.equal(await version({ XDG_CACHE_HOME: dirname(place) }), `${VERSION}\n`)
    t.equal(statSync(place).mode & 0o777, 0o700)
    const temporary = join(home, 'second')
    mkdirSync(temporary)
    chmodSync(place, 0o777)
    t.equal(await version({ XDG_CACHE_HOME: dirname(place), TMPDIR: temporary }), `${VERSION}\n`)
    t.same(readdirSync(temporary), [`pipegate-${process.getuid?.()}`])
  },
)
