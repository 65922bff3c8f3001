/** `pipegate serve` with several threads, and what tests of it ask. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { threadHelper } from '../../../../gateway/native/threads.js'
import { curlDone } from '../../../support/curl.js'
import { Exposition } from '../../../support/exposition.js'
import { type Program, startProgram } from '../../../support/program.js'
import { connect, type RawClient } from '../../../support/raw.js'
import type { Teardown } from '../../../support/teardown.js'

export const PREFIX = '/api/v1/pipe'

interface Folders extends Teardown {
  testdir(files: Record<string, string>): string
}

export async function startThreads(
  t: Teardown,
  threads: number | 'auto',
  flags: readonly string[] = [],
): Promise<Program> {
  return startProgram(t, ['--threads', `${threads}`, ...flags])
}

/** With a plugin of an operator. @param scope what it says of itself */
export function withPlugin(t: Folders, code: string, scope = "scope: 'thread',"): readonly string[] {
  const head = `import { definePlugin, z } from 'pipegate/plugin'
export default definePlugin({ name: 'own', api: 1, ${scope} config: z.strictObject({}), setup: (host) => (`
  const folder = t.testdir({ 'own.mjs': `${head}${code}) })\n`, 'pipegate.yaml': 'plugins: [./own.mjs]\n' })
  return ['--config', join(folder, 'pipegate.yaml')]
}

/** Throws, where nobody catches it, in the thread that has the name asked for. */
export const BREAKS = `{
  hooks: {
    onRequest(request) {
      if (request.path.endsWith('/break')) setTimeout(() => { throw new Error('broken on purpose') })
    },
  },
}`

/** Names of which thread `number` of so many has each. */
export function namesOf(number: number, threads: number, count: number, before = 'n', after = ''): string[] {
  const helper = threadHelper()
  helper.spreadNames(PREFIX, threads)
  const names: string[] = []
  for (let i = 0; names.length < count; i++)
    if (helper.ownerOf(`/${before}${i}${after}`) === number) names.push(`${before}${i}${after}`)
  return names
}

export async function health(program: Program): Promise<Record<string, unknown>> {
  return JSON.parse((await curlDone([program.url('health')])).stdout.toString()) as Record<string, unknown>
}

export async function metrics(program: Program): Promise<Exposition> {
  return new Exposition((await curlDone([program.url('metrics')])).stdout.toString())
}

export function descriptors(program: Program): number {
  return readdirSync(`/proc/${program.pid}/fd`).length
}

export function client(program: Program, tls = false): Promise<RawClient> {
  return connect({ port: program.port, tls })
}

export const request = (method: string, target: string, body?: string) =>
  `${method} ${target} HTTP/1.1\r\nHost: a\r\n${body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body ?? ''}`
