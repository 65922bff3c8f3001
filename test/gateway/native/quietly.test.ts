/** What happens while something is done quietly: the engine prints nothing, and what others write is written. */

import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../../support/certificate.js'
import { ownEnvironment } from '../../support/program.js'

const LINES = 200

t.test('what a thread writes to standard output meanwhile arrives, and what the engine prints does not', (t) => {
  const dir = t.testdir({})
  const { cert, key } = makeCertificate(dir)
  const module = (name: string) => JSON.stringify(new URL(`../../../gateway/native/${name}.js`, import.meta.url))
  const script = `
    const { write } = await import('node:fs')
    const { installSocketHelper } = await import(${module('socket-helper')})
    const { loadEngine } = await import(${module('engine')})
    const { sockets } = installSocketHelper(true)
    const files = { cert_file_name: ${JSON.stringify(cert)}, key_file_name: ${JSON.stringify(key)} }
    const named = (name) => loadEngine().exports.SSLApp(files).addServerName(name, files).domain(name).get('/', () => {})
    named('before.test')
    for (let i = 0; i < ${LINES}; i++) {
      write(1, 'line ' + i + '\\n', (error, written) => { if (error || written < 7) throw error ?? new Error('short') })
      // The thread writes while this lasts.
      sockets.quietly(() => {
        named('quiet' + i + '.test')
        const until = performance.now() + 1
        while (performance.now() < until);
      })
    }
    sockets.quietly(() => sockets.quietly(() => {}))
    try { sockets.quietly(() => { throw new Error('its own') }) } catch (error) { console.log(error.message) }
    named('after.test')
    setTimeout(() => process.exit(), 100)`
  const [file, out] = [join(dir, 'out'), openSync(join(dir, 'out'), 'w')]
  const stdio = ['ignore', out, 'pipe'] as const
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: [...stdio],
    env: ownEnvironment(),
  })
  closeSync(out)
  t.equal(status, 0, `${stderr}`)
  const text = readFileSync(file, 'utf8')
  t.equal(text.match(/^line \d+$/gm)?.length ?? 0, LINES, 'every line that a thread was told it has written')
  t.notMatch(text, /quiet\d/, 'nothing of the engine')
  t.match(text, /its own/, 'what is thrown comes through')
  t.match(text, /Browsed to SNI: before\.test[\s\S]*Browsed to SNI: after\.test/, 'and it prints before and after')
  t.end()
})
