/** The package as somebody else gets it, in a folder that knows nothing of this project. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PROJECT } from './project.js'

/** Nothing from the network. */
const ENV = { ...process.env, npm_config_offline: 'true', npm_config_loglevel: 'error' }

let tarball: string | undefined

/** Packs the project, as it is built: once for all tests of a file. Returns the path of the tarball. */
export function packed(): string {
  if (tarball !== undefined) return tarball
  const folder = mkdtempSync(join(tmpdir(), 'pipegate-packed-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  execFileSync('npm', pack, { cwd: PROJECT, env: ENV, stdio: ['ignore', 'pipe', 'ignore'] })
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!)
  return tarball
}

/**
 * Packs the project and unpacks it where `npm install` would. What it depends on is linked, and nothing else is: an import of
 * something that package.json does not name fails here.
 * @param modules the folder `node_modules`, which is made
 * @param without dependencies that are missing
 * @returns the command `pipegate`
 */
export function unpackInto(modules: string, without: readonly string[] = []): string {
  const at = join(modules, 'pipegate')
  mkdirSync(at, { recursive: true })
  execFileSync('tar', ['xzf', packed(), '-C', at, '--strip-components=1'])
  const { bin, dependencies, optionalDependencies } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (without.includes(name)) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(PROJECT, 'node_modules', name), join(modules, name))
  }
  mkdirSync(join(modules, '.bin'))
  for (const [name, path] of Object.entries(bin as Record<string, string>)) {
    chmodSync(join(at, path), 0o755)
    symlinkSync(join('..', 'pipegate', path), join(modules, '.bin', name))
  }
  return join(modules, '.bin/pipegate')
}
