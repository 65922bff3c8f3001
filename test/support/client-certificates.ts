/** Gateways that ask for certificates, the clients that show them, and a plugin that says what it was shown. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import type { FlagValues } from '../../gateway/config/config.js'
import { definePlugin, jsonAnswer, PLUGIN_API, type Plugin, z } from '../../gateway/host/plugin-api.js'
import { Authority } from './authority.js'
import { type CertificateFiles, sharedCertificate } from './certificate.js'
import { curlDone } from './curl.js'
import { eventually } from './eventually.js'
import { type Running, startGateway } from './gateway.js'

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

/** A connection that is kept, over which one request is made after the other. */
export class Kept {
  session: Buffer | undefined
  isOver = false
  #text = ''

  private constructor(readonly socket: TLSSocket) {
    socket.setEncoding('latin1').on('data', (text) => {
      this.#text += text
    })
    socket.on('session', (session) => {
      this.session = session
    })
    socket.on('close', () => {
      this.isOver = true
    })
    socket.on('error', () => {})
  }

  static open(t: Test, port: number, shown?: CertificateFiles, options: ConnectionOptions = {}): Promise<Kept> {
    const own = shown === undefined ? {} : { cert: readFileSync(shown.cert), key: readFileSync(shown.key) }
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...own, ...options })
    const kept = new Kept(socket)
    t.teardown(() => socket.destroy())
    return new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(kept)).once('error', reject)
    })
  }

  /** The status of the answer, and its body as JSON or text. */
  async ask(name = 'who'): Promise<{ readonly status: number; readonly body: string }> {
    this.#text = ''
    this.socket.write(`GET /api/v1/pipe/${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    let found: RegExpExecArray | null = null
    await eventually(() => {
      found = /^HTTP\/1.1 (\d+)[\s\S]*?content-length: (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/i.exec(this.#text)
      return (found !== null && found[3]!.length >= Number(found[2])) || `${this.isOver ? 'over ' : ''}${this.#text}`
    })
    return { status: Number(found![1]), body: found![3]! }
  }

  /** The common name that the gateway has seen; otherwise what it says. */
  async name(): Promise<string> {
    const { status, body } = await this.ask()
    return status === 200 ? (JSON.parse(body)?.commonName ?? 'nobody') : body
  }
}
