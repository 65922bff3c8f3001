/** Gateways that ask for certificates, the clients that show them, and a plugin that says what it was shown. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { FlagValues } from '../../../gateway/config/config.js'
import { definePlugin, jsonAnswer, PLUGIN_API, type Plugin, z } from '../../../gateway/host/plugin-api.js'
import { Authority } from '../../support/authority.js'
import { type CertificateFiles, sharedCertificate } from '../../support/certificate.js'
import { curlDone } from '../../support/curl.js'
import { type Running, startGateway } from '../../support/gateway.js'

export const folder = mkdtempSync(join(tmpdir(), 'pipegate-clients-'))
t.teardown(() => rmSync(folder, { recursive: true }))
export const ca = new Authority(folder, 'ca')
export const otherCa = new Authority(folder, 'other')

/** `GET /who` says which certificate was shown. */
const who = definePlugin({
  name: 'who',
  api: PLUGIN_API,
  config: z.strictObject({}),
  setup: () => ({
    routes: [
      {
        method: 'GET',
        path: '/who',
        handle: (_request, reply, context) => void reply.give(jsonAnswer(200, context.clientCertificate ?? null)),
      },
    ],
  }),
})

export const whoPlugin = { plugin: who as unknown as Plugin, config: {} }

/** A file that tests write again. */
export function fileWith(text: string): string {
  const file = join(mkdtempSync(join(folder, 'file-')), 'some.pem')
  writeFileSync(file, text)
  return file
}

export function clientFlags(auth: 'required' | 'optional', more: FlagValues = {}): FlagValues {
  const { cert, key } = sharedCertificate()
  return { tlsCert: cert, tlsKey: key, tlsClientAuth: auth, tlsClientCa: ca.cert, ...more }
}

export function startWho(t: Test, auth: 'required' | 'optional', more: FlagValues = {}): Promise<Running> {
  return startGateway(t, clientFlags(auth, more), { tls: true, plugins: [whoPlugin] })
}

export interface Said {
  readonly status: number
  readonly code: string
  readonly text: string
  readonly exit: number | null
}

/** What curl gets that shows this certificate. */
export async function ask(url: string, shown?: CertificateFiles, ...args: readonly string[]): Promise<Said> {
  const own = shown === undefined ? [] : ['--cert', shown.cert, '--key', shown.key]
  const { code, stdout, stderr } = await curlDone(['-k', '-i', '--max-time', '10', ...own, ...args, url])
  const text = stdout.toString()
  const status = Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0)
  return {
    status,
    code: /^X-Pipe-Code: (.*)\r$/im.exec(text)?.[1] ?? '',
    text: `${text.slice(text.indexOf('\r\n\r\n') + 4)}${stderr}`,
    exit: code,
  }
}
