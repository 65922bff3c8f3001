/** What `npm publish` would publish: what is in it, how large it is, and that it runs where nothing is built. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { packed } from '../support/installed-package.js'
import { Program } from '../support/program.js'
import { PROJECT, readProject } from '../support/project.js'

const home = mkdtempSync(join(tmpdir(), 'pipegate-tarball-'))
t.teardown(() => rmSync(home, { recursive: true, force: true }))
const tarball = packed()
const { devDependencies } = JSON.parse(readProject('package.json')) as { devDependencies: Record<string, string> }
/** What it has today, and room for a few features: what doubles it is noticed. */
const MOST_BYTES = 1_150_000

t.test('what is in it, and nothing that only helps who builds it', async (t) => {
  const files = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' })
    .trimEnd()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
  for (const path of ['README.md', 'LICENSE', 'NOTICE', 'dist/gateway/main.js', 'dist/gateway/host/plugin-api.d.ts'])
    t.ok(files.includes(path), path)
  const unwanted = /\.map$|(?<!\.d)\.ts$|\.[ch]$|^dist\/(?:test|perf)\/|^test\/|^\./
  t.same(
    files.filter((path) => unwanted.test(path)),
    [],
  )
  const size = statSync(tarball).size
  t.ok(size < MOST_BYTES, `${size} bytes`)
})

t.test('publint finds nothing', async (t) => {
  const lint = spawnSync(join(PROJECT, 'node_modules/.bin/publint'), [tarball, '--strict'], { encoding: 'utf8' })
  t.match({ status: lint.status, said: lint.stdout }, { status: 0, said: /All good!/ }, lint.stderr)
})

t.test('the types are right for who imports it, which is an ES module', async (t) => {
  const attw = join(PROJECT, 'node_modules/.bin/attw')
  const args = [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', '--no-emoji']
  const lint = spawnSync(attw, args, { encoding: 'utf8' })
  t.equal(lint.status, 0, lint.stdout + lint.stderr)
  t.match(lint.stdout, /"pipegate\/plugin"\n\nnode16 \(from ESM\): OK \(ESM\) *\nbundler: OK/)
})

t.test('npm installs it, builds nothing, and it serves', async (t) => {
  const folder = join(home, 'empty')
  mkdirSync(folder)
  const npm = (...args: string[]) => spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--foreground-scripts']
  const installed = npm('install', ...quiet, tarball)
  t.equal(installed.status, 0, installed.stderr)
  const scripts = [...installed.stdout.matchAll(/^> pipegate@\S+ (\S+)$/gm)].map(([, name]) => name)
  t.same(scripts, ['postinstall'], 'scripts that have run')

  const tree = npm('ls', '--all', '--parseable')
  t.equal(tree.status, 0, tree.stderr)
  const names = tree.stdout.split('\n').map((path) => path.split('/node_modules/').at(-1)!)
  t.ok(names.includes('pipegate') && names.includes('zod'))
  t.same(
    names.filter((name) => name in devDependencies),
    [],
    'no package for developers',
  )
  const engine = readdirSync(join(folder, 'node_modules/uWebSockets.js')).filter((name) => name.endsWith('.node'))
  t.ok(engine.length > 0 && engine.every((name) => name.includes(`_${process.platform}_`)), `${engine}`)

  const program = new Program(t, ['serve', '--port', '0'], { command: [join(folder, 'node_modules/.bin/pipegate')] })
  await program.waitForLog('listening', 1, 30_000)
  t.equal(program.logged('no sender can hold the event loop').length, 1, 'with its native helper')
  const receiver = curl([program.url('through')])
  t.equal((await curlDone(['-d', 'from the tarball', program.url('through')])).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'from the tarball')
  const page = await curlDone(['-H', 'Accept: text/html', new URL('/', program.base).href])
  t.match(page.stdout.toString(), /<!doctype html>/i)
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})
