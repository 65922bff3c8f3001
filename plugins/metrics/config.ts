import { z } from '../../gateway/host/plugin-api.js'

/** A short token could be guessed at the speed of the network. */
const MIN_TOKEN = 16

export const metricsConfig = z.strictObject({
  /** What a scraper has to send as `Authorization: Bearer …`; without one everybody may read the numbers. */
  token: z
    .union([
      z
        .string()
        .min(MIN_TOKEN, `expected at least ${MIN_TOKEN} characters, found fewer`)
        .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII characters without spaces, found others'),
      z.strictObject({ env: z.string().min(1, 'expected the name of an environment variable, found nothing') }),
    ])
    .optional(),
})

export type MetricsConfig = z.infer<typeof metricsConfig>

/** The token itself. @throws Error with one line when the variable that should have it has no usable one */
export function readToken({ token }: MetricsConfig, env: NodeJS.ProcessEnv): string | undefined {
  if (token === undefined || typeof token === 'string') return token
  const found = env[token.env] ?? ''
  // The value stays out of the message, usable or not.
  if (found.length >= MIN_TOKEN && /^[\x21-\x7e]+$/.test(found)) return found
  const what = found === '' ? 'nothing' : `${found.length} characters`
  throw new Error(
    `config.token.env: found ${what} in the environment variable ${token.env}, ` +
      `expected a token of at least ${MIN_TOKEN} printable ASCII characters without spaces`,
  )
}
