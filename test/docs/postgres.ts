/** The PostgreSQL of the README's recipe. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const versions = () => readdirSync('/usr/lib/postgresql').sort()
const program = (name: string) => `/usr/lib/postgresql/${versions().at(-1)}/bin/${name}`
/** It insists on an ordinary user. */
const user = process.getuid?.() === 0 ? 'postgres' : undefined
/** Where it has been set up once, to be copied: that takes as long as all the rest. */
let home: string | undefined

/** A real PostgreSQL with a database `shop`, on a socket in `dir`. */
export function startPostgres(dir: string, t: Test): NodeJS.ProcessEnv {
  const data = join(dir, 'data')
  own(dir)
  as('cp', '-a', setUp(), data)
  const superuser = ['-h', dir, '-U', 'tester']
  as(program('pg_ctl'), '-D', data, '-w', '-l', join(data, 'log'), '-o', `-k ${dir} -c listen_addresses='' -F`, 'start')
  t.teardown(() => as(program('pg_ctl'), '-D', data, '-w', '-m', 'immediate', 'stop'))
  for (const name of ['shop', 'shop_new']) as('createdb', ...superuser, name)
  const table = 'create table t as select i, md5(i::text) from generate_series(1, 50000) i'
  as('psql', ...superuser, '-q', '-d', 'shop', '-c', table)
  t.teardown(() => {
    const sum = (database: string) =>
      as('psql', ...superuser, '-At', '-d', database, '-c', 'select sum(i), count(*), max(md5) from t')
    if (sum('shop_new') !== sum('shop')) throw new Error('the new database differs from the old one')
  })
  return { PGHOST: dir, PGUSER: 'tester' }
}

function setUp(): string {
  if (home !== undefined) return home
  const made = mkdtempSync(join(tmpdir(), 'pipegate-postgres-'))
  process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  own(made)
  as(program('initdb'), '-D', join(made, 'data'), '-U', 'tester', '-A', 'trust', '--no-sync')
  home = join(made, 'data')
  return home
}

function own(folder: string): void {
  if (user === undefined) return
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  chownSync(folder, id('-u'), id('-g'))
}

function as(command: string, ...args: string[]): string {
  const [run, all] = user === undefined ? [command, args] : ['runuser', ['-u', user, '--', command, ...args]]
  return execFileSync(run, all, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
}
