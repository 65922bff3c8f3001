import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs a file of test cases in a network of its own, and ends as it does. The cables that they plug in would else be news for every
 * program on this machine: a Chromium of another test breaks off what it loads (ERR_NETWORK_CHANGED).
 */
export function runInOwnNetwork(file: URL): void {
  const cases = [process.execPath, ...process.execArgv, fileURLToPath(file)]
  const apart = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  const isPossible = spawnSync(apart[0]!, [...apart.slice(1), 'true']).status === 0
  const [program, ...args] = [...(isPossible ? apart : []), ...cases]
  const { status, error } = spawnSync(program!, args, { stdio: 'inherit' })
  if (error !== undefined) throw error
  process.exitCode = status ?? 1
}
