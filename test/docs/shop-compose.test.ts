/**
 * What examples/shop/compose.yaml starts, without an engine for containers: in a network of its own in which `gateway` is a host, and with
 * /shop where the file mounts it. See shop-compose-cases.ts.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROJECT } from '../support/project.js'

/** Everything of this machine and /shop, under a root of its own: only there can a mount be without a trace. */
const AS_IN_CONTAINERS = `
root=$1 hosts=$2; shift 2
ip link set lo up
mount -t tmpfs tmpfs "$root"
for each in /*; do
  if [ -h "$each" ]; then cp -P "$each" "$root$each"
  elif [ -d "$each" ]; then mkdir "$root$each"; mount --rbind "$each" "$root$each"
  fi
done
mount -t proc proc "$root/proc"
mkdir "$root/shop"
mount --bind examples/shop "$root/shop"
mount -o remount,bind,ro "$root/shop"
mount --bind "$hosts" "$root/etc/hosts"
exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
`
/** Whatever it starts ends with it, as in a container, also when this process is killed. */
const APART = ['--mount', '--net', '--pid', '--fork', '--kill-child=KILL']
const unshare = (...args: string[]) =>
  spawnSync('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...args], { cwd: PROJECT, stdio: 'inherit' })

const dir = mkdtempSync(join(tmpdir(), 'pipegate-shop-'))
try {
  const [root, hosts] = [mkdtempSync(join(dir, 'root-')), join(dir, 'hosts')]
  writeFileSync(hosts, '127.0.0.1 localhost gateway\n')
  const isRoot = unshare(...APART, 'true').status === 0
  const cases = fileURLToPath(new URL('shop-compose-cases.js', import.meta.url))
  const { status, error } = unshare(
    ...(isRoot ? APART : ['--user', '--map-root-user', ...APART]),
    ...['sh', '-euc', AS_IN_CONTAINERS, 'sh', root, hosts, process.execPath, ...process.execArgv, cases],
  )
  if (error !== undefined) throw error
  process.exitCode = status ?? 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
