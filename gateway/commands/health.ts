import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import type { CommandResult } from '../../client/cli/command.js'
import type { Config } from '../config/config.js'
import type { CommandInput } from './command-input.js'

const TIMEOUT_MS = 5000
/** Addresses that can be listened on, but not connected to, and what to connect to instead. */
const CONNECT_TO: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** The answer of a gateway that was asked for its health. */
export interface Health {
  /** It takes new work. */
  readonly ok: boolean
  /** The answer, or why there is none. */
  readonly text: string
}

/** `pipegate health`. */
export async function health({ config }: CommandInput): Promise<CommandResult> {
  const { ok, text } = await askHealth(config)
  return { text: `${text}\n`, exitCode: ok ? 0 : 1 }
}

/**
 * Asks the gateway that runs on this machine with this configuration, for supervisors that can only run a command. Without a
 * prefix there is no health page, and any answer is a good one. The certificate is not checked: it is for another name.
 */
export function askHealth({ host, port, prefix, tlsCert }: Config): Promise<Health> {
  const { request, scheme } =
    tlsCert === undefined ? { request: plain, scheme: 'http' } : { request: secure, scheme: 'https' }
  const options = {
    host: CONNECT_TO[host] ?? host,
    port,
    path: prefix === '' ? '/help' : `${prefix}/health`,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }
  const where = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve({ ok: false, text: `no answer from ${where}: ${error.message}` })
    const sent = request(options, async (response) => {
      let text = ''
      try {
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        resolve({ ok: prefix === '' || response.statusCode === 200, text: text.trimEnd() })
      } catch (error) {
        failed(error as Error)
      }
    })
    sent.once('error', failed).end()
  })
}
