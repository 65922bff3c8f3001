/** A real client that asks for paths as nobody else does, pipelines, and asks for parts: Debian's `apt-get`. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { command } from '../../support/command.js'
import { startProxy, startUpstream } from '../../support/upstream.js'

const skip = existsSync('/usr/bin/apt-get') ? false : 'this is no Debian'

t.test('apt-get update and download from a flat repository behind the gateway', { skip }, async (t) => {
  const bytes = Buffer.alloc(300_000, 'not really a package ')
  const digest = createHash('sha256').update(bytes).digest('hex')
  const files: Record<string, Buffer> = {
    '/apt/Packages': Buffer.from(
      ['Package: pipegate-probe', 'Version: 1.0', 'Architecture: all', 'Maintainer: Nobody <nobody@example.org>']
        .concat(['Filename: ./probe.deb', `Size: ${bytes.length}`, `SHA256: ${digest}`, 'Description: a probe', '', ''])
        .join('\n'),
    ),
    '/apt/probe.deb': bytes,
  }
  const asked: string[] = []
  const upstream = await startUpstream(t, ({ url = '' }, response) => {
    asked.push(url)
    const file = files[url]
    if (file === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'Content-Length': file.length }).end(file)
  })
  const gw = await startProxy(t, [{ prefix: '/apt/', upstreams: [upstream] }])
  const root = t.testdir({})
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'etc', 'download'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'etc/sources.list'), `deb [trusted=yes] ${gw.origin}/apt ./\n`)
  writeFileSync(join(root, 'status'), '')
  const options = Object.entries({
    'Dir::Etc': join(root, 'etc'),
    'Dir::Etc::sourcelist': join(root, 'etc/sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State': join(root, 'state'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': join(root, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::http::Proxy': 'DIRECT',
    'Acquire::Languages': 'none',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const apt = (...args: string[]) =>
    command('sh', ['-c', 'cd "$0" && exec apt-get "$@"', join(root, 'download'), ...options, ...args], 60_000)
  const updated = await apt('update')
  t.equal(updated.code, 0, updated.stdout.toString())
  t.ok(asked.includes('/apt/Packages'), 'without the "." that apt puts there')
  const downloaded = await apt('download', 'pipegate-probe')
  t.equal(downloaded.code, 0, downloaded.stdout.toString())
  t.ok(readFileSync(join(root, 'download/pipegate-probe_1.0_all.deb')).equals(bytes))
})
