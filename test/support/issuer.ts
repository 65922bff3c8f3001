/** An issuer of tokens: keys of its own, and a real JWKS server on 127.0.0.1 that can be down, hang, or answer nonsense. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { RestartableServer } from './restartable-server.js'
import type { Teardown } from './teardown.js'

export interface IssuerKey {
  readonly alg: string
  readonly kid: string
  readonly privateKey: CryptoKey
  /** The public half, as it stands in the set. */
  readonly jwk: JWK
}

export async function makeKey(alg: string, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } }
}

export interface TokenOptions {
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
}

/** A token that is valid for five minutes, unless the claims say otherwise; a claim that is undefined is left out. */
export function sign(key: IssuerKey, { claims = {}, header = {} }: TokenOptions = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const all = { iss: 'issuer', aud: 'pipes', sub: 'alice', iat: now, exp: now + 300, ...claims }
  return new SignJWT(JSON.parse(JSON.stringify(all)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header } as JWTHeaderParameters)
    .sign(key.privateKey)
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export class Issuer {
  /** What the set has now. */
  keys: readonly IssuerKey[] = []
  /** Every request's path. */
  readonly asked: string[] = []
  /** Replaces the answer. */
  answer: Answer | undefined
  readonly #server = new RestartableServer((request, response) => {
    this.asked.push(request.url ?? '')
    if (this.answer !== undefined) this.answer(request, response)
    else response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }))
  })

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/jwks.json`
  }

  /** Opens the port, the same one every time. */
  up(): Promise<void> {
    return this.#server.up()
  }

  /** Refuses connections from now on, and cuts those that are open. */
  down(): Promise<void> {
    return this.#server.down()
  }
}

export async function startIssuer(t: Teardown, ...keys: IssuerKey[]): Promise<Issuer> {
  const issuer = new Issuer()
  issuer.keys = keys
  await issuer.up()
  t.teardown(() => issuer.down())
  return issuer
}
