/** How the engine's binary is found, fitted to an older glibc, and what is said where there is none. */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { forOlderGlibc, needsNewerGlibc } from '../../../gateway/native/older-glibc.js'
import { PROJECT } from '../../support/program.js'

const PACKAGE = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'))
const BINARIES = readdirSync(PACKAGE).filter((name) => name.startsWith('uws_linux_'))
const HERE = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`

t.test('every binary for Linux becomes one that needs nothing of the newer glibc', async (t) => {
  t.ok(BINARIES.length > 0)
  for (const name of BINARIES) {
    const binary = readFileSync(join(PACKAGE, name))
    const fitted = forOlderGlibc(binary)
    t.equal(fitted.length, binary.length)
    t.throws(() => forOlderGlibc(fitted), { message: 'it does not say what it needs of GLIBC_2.38' }, name)
    let changed = 0
    for (let i = 0; i < binary.length; i++) if (binary[i] !== fitted[i]) changed++
    t.ok(changed <= 30, `${name}: ${changed} bytes differ`)
  }
})

t.test('what has no other name in an older glibc is named', async (t) => {
  const binary = readFileSync(join(PACKAGE, BINARIES[0]!))
  binary.write('__isoc24_strtol\0', binary.indexOf('__isoc23_strtol\0'), 'latin1')
  t.throws(() => forOlderGlibc(binary), { message: 'it needs __isoc24_strtol of GLIBC_2.38' })
  t.throws(() => forOlderGlibc(Buffer.alloc(1000)), { message: 'it is no ELF file for 64 bits' })
  t.equal(needsNewerGlibc("/lib/libc.so.6: version `GLIBC_2.38' not found (required by x.node)"), true)
  t.equal(needsNewerGlibc("/lib/libc.so.6: version `GLIBC_2.36' not found (required by x.node)"), false)
})

t.test('the fitted binary works from memory, whatever the glibc', async (t) => {
  const module = (name: string) => JSON.stringify(new URL(`../../../gateway/native/${name}.js`, import.meta.url))
  const script = `
    const { readFileSync } = await import('node:fs')
    const { nativeHelper } = await import(${module('helper')})
    const { forOlderGlibc } = await import(${module('older-glibc')})
    const helper = nativeHelper()
    const bytes = forOlderGlibc(readFileSync(${JSON.stringify(join(PACKAGE, HERE))}))
    const file = helper.memoryFile('engine', bytes)
    const loaded = { exports: {} }
    process.dlopen(loaded, '/proc/self/fd/' + file)
    loaded.exports.App().listen(0, (socket) => {
      const active = helper.install('/proc/self/fd/' + file, 65536, 65536)
      console.log(loaded.exports.us_socket_local_port(socket) > 0, active, helper.memoryFile('other', bytes) === file)
      process.exit()
    })`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  t.equal(printed, 'true true true\n')
})

/** A project of its own with these files as its engine. Returns the folder of our modules. */
function project(t: Test, engine: Record<string, string>): string {
  const root = t.testdir({
    'package.json': '{"type":"module"}',
    dist: { gateway: { native: {} } },
    gateway: { native: {} },
    node_modules: { 'uWebSockets.js': { 'package.json': '{"main":"uws.js"}', 'uws.js': '', ...engine } },
  })
  const modules = join(root, 'dist/gateway/native')
  for (const name of ['engine', 'helper', 'older-glibc']) {
    copyFileSync(new URL(`../../../gateway/native/${name}.js`, import.meta.url), join(modules, `${name}.js`))
  }
  copyFileSync(join(PROJECT, 'gateway/native/prune.js'), join(root, 'gateway/native/prune.js'))
  return root
}

function loads(root: string): string {
  const url = JSON.stringify(new URL(`file://${root}/dist/gateway/native/engine.js`))
  const script = `import(${url}).then((m) => m.loadEngine()).catch((error) => console.log(error.message))`
  return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout
}

const EXPECTED = 'expected Node 20, 22 or 24 on Linux (x64, arm64; glibc 2.36 or later) or macOS'

t.test('where there is no binary, or one that does not load, it is said what was found and what works', async (t) => {
  const found = `found Node ${process.version} on ${process.platform} ${process.arch}, ${EXPECTED}`
  t.match(loads(project(t, {})), `uWebSockets.js has no binary ${HERE}: ${found}. Where node_modules`)
  t.match(loads(project(t, { [HERE]: 'junk' })), `uWebSockets.js does not load: ${found}: `)
})

t.test('after the installation the binaries of this platform are left, and nothing fails without them', async (t) => {
  const mine = `uws_${process.platform}_${process.arch}`
  const others = { 'uws_linux_mips_115.node': '', 'uws_win32_x64_127.node': '', 'uws.notes': '' }
  const root = project(t, { ...others, [`${mine}_115.node`]: '', [`${mine}_137.node`]: '' })
  const prune = () => spawnSync(process.execPath, [join(root, 'gateway/native/prune.js')], { encoding: 'utf8' })
  t.equal(prune().status, 0)
  const left = readdirSync(join(root, 'node_modules/uWebSockets.js')).sort()
  t.same(left, ['package.json', 'uws.js', 'uws.notes', `${mine}_115.node`, `${mine}_137.node`].sort())
  writeFileSync(join(root, 'node_modules/uWebSockets.js/package.json'), '{"main":"elsewhere.js"}')
  mkdirSync(join(root, 'elsewhere'))
  const again = prune()
  t.same([again.status, again.stdout, again.stderr], [0, '', ''])
})
