/** A real proxy as a process of its own, with a configuration of the test. */

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, type Verdict } from './eventually.js'
import type { Teardown } from './teardown.js'

export interface ProxyProgram {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts a proxy, which is killed when the test ends. Rejects when it ends by itself.
 * @param isReady checks whether it serves
 */
export async function startProxyProcess(
  t: Teardown,
  { file, args, env = {} }: ProxyProgram,
  isReady: () => Promise<Verdict>,
): Promise<void> {
  const child = spawn(file, args, {
    // Debian has its proxies there, and not every user's path does.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  let hasEnded = false
  const ended = new Promise<void>((resolve) => {
    const end = (how: unknown) => {
      output += how
      hasEnded = true
      resolve()
    }
    child.once('error', end).once('close', end)
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    return ended
  })
  await eventually(async () => {
    if (hasEnded) throw new Error(`${file} ended: ${output}`)
    const verdict = await isReady()
    return verdict === true || `${file}: ${verdict}: ${output}`
  })
}

/** nginx in one process, with its files in this folder. @param http what stands in `http {}` besides them */
export function nginxProgram(folder: string, http: string): ProxyProgram {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`)
  const config = `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  ${temporary.join(' ')}
  ${http}
}`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, config)
  return { file: 'nginx', args: ['-p', folder, '-e', 'error.log', '-c', file] }
}
