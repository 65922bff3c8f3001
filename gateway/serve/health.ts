import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import type { Config } from '../config/config.js'

const TIMEOUT_MS = 5000
/** Addresses that are listened on and cannot be asked. */
const ASKED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** What the gateway of this configuration says of itself. */
export interface Health {
  /** It takes new work. */
  readonly ok: boolean
  /** The answer, or why there is none. */
  readonly text: string
}

/**
 * Asks the gateway that runs on this machine with this configuration, for supervisors that know commands only. Without a
 * prefix there is no health page, and any answer is a good one. The certificate is not looked at: it is for another name.
 */
export function askHealth({ host, port, prefix, tlsCert }: Config): Promise<Health> {
  const { request, scheme } =
    tlsCert === undefined ? { request: plain, scheme: 'http' } : { request: secure, scheme: 'https' }
  const options = {
    host: ASKED[host] ?? host,
    port,
    path: prefix === '' ? '/help' : `${prefix}/health`,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }
  const where = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((resolve) => {
    const fails = (error: Error) => resolve({ ok: false, text: `no answer from ${where}: ${error.message}` })
    const asking = request(options, async (response) => {
      let text = ''
      try {
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        resolve({ ok: response.statusCode === 200, text: text.trimEnd() })
      } catch (error) {
        fails(error as Error)
      }
    })
    asking.once('error', fails).end()
  })
}
