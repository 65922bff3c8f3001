/** What becomes of `tlsSni` when the configuration file changes. */

import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { CertificateFiles } from '../../support/certificate.js'
import { curl } from '../../support/curl.js'
import { type Program, startProgram } from '../../support/program.js'
import { exact, first, second, shown, store, wild } from './certificates.js'

const RELOADED = 'certificates reloaded'
const RESTART = 'changed settings need a restart'

/** A configuration file, and the gateway that was started with it. */
async function rig(t: Test) {
  const file = join(t.testdir({}), 'pipegate.yaml')
  const put = (settings: object) => {
    writeFileSync(`${file}.next`, JSON.stringify(settings))
    renameSync(`${file}.next`, file)
  }
  put(settingsOf(first, exact))
  const program = await startProgram(t, ['--config', file])
  let count = 0
  const reload = async (settings: object) => {
    put(settings)
    program.kill('SIGHUP')
    await program.waitForLog(RELOADED, ++count)
  }
  return { program, put, reload }
}

function settingsOf({ cert, key }: CertificateFiles, ...tlsSni: readonly CertificateFiles[]) {
  return { tlsCert: cert, tlsKey: key, tlsSni: tlsSni.map(({ cert, key }) => ({ cert, key })) }
}

/** The certificates for a name of each of them, and for none. */
async function served({ port }: Program): Promise<string[]> {
  return [await shown(port), await shown(port, 'exact.wild.test'), await shown(port, 'any.wild.test')]
}

t.test('SIGHUP: a new name, one that is gone, and another certificate take effect, and transfers go on', async (t) => {
  const { program, reload } = await rig(t)
  const receiver = curl(['-kN', program.url('x')])
  const sender = curl(['-kN', '-T', '.', program.url('x')])
  sender.stdin.write('one ')
  await receiver.waitFor('one ')
  t.same(await served(program), ['first', 'exact', 'first'])
  await reload(settingsOf(first, exact, wild))
  t.same(await served(program), ['first', 'exact', 'wild'], 'a new name')
  await reload(settingsOf(first, wild))
  t.same(await served(program), ['first', 'wild', 'wild'], 'one is gone')
  await reload(settingsOf(second, exact))
  t.same(await served(program), ['second', 'exact', 'second'], 'another default, and one is back')
  await reload({ ...settingsOf(second), memory: '300MiB' })
  t.same(await served(program), ['second', 'second', 'second'], 'no names')
  sender.stdin.end('two')
  t.equal((await receiver.result).stdout.toString(), 'one two')
  t.equal((await sender.result).code, 0)
  t.same(
    program.logged(RESTART).map(({ level, settings }) => [level, settings]),
    [[40, ['memory']]],
    'what needs a restart is said',
  )
  t.equal((await program.endsAfter('SIGTERM')).code, 0)
})

t.test('a configuration file that changes is found without a signal', async (t) => {
  const { program, put } = await rig(t)
  put(settingsOf(first, exact, wild))
  await program.waitForLog(RELOADED)
  t.same(await served(program), ['first', 'exact', 'wild'])
})

t.test('what cannot be used leaves what there was', async (t) => {
  const { program, put } = await rig(t)
  put({ ...settingsOf(first, wild), prot: 1 })
  program.kill('SIGHUP')
  const said = await program.waitForLog('configuration not read again: the one from before stays')
  t.match(said, { level: 50, problem: /key "prot" is unknown/ })
  t.same(await served(program), ['first', 'exact', 'first'])
  // The files are read again all the same.
  await program.waitForLog('certificates read again: they are the same')
  put(settingsOf(first, { cert: wild.cert, key: exact.key }))
  program.kill('SIGHUP')
  t.match(await program.waitForLog('certificates not reloaded: those from before stay'), { problem: /does not belong/ })
  t.same(await served(program), ['first', 'exact', 'first'])
  put({ ...settingsOf(first, { cert: join(store, 'none.pem'), key: wild.key }) })
  program.kill('SIGHUP')
  t.match(await program.waitForLog('configuration not read again: the one from before stays', 2), {
    problem: /none\.pem/,
  })
  put({ plugins: [] })
  program.kill('SIGHUP')
  t.same((await program.waitForLog(RESTART)).settings, ['tlsCert', 'tlsKey', 'tlsSni'], 'without TLS')
  t.same(await served(program), ['first', 'exact', 'first'])
})
