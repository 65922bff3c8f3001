/** An issuer of tokens: keys of its own, and a real JWKS server on 127.0.0.1 that can be down, hang, or answer nonsense. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'

/** Anything that can undo things at the end of a test: tap's `t`. */
interface Test {
  teardown(undo: () => unknown): void
}

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
  #port = 0
  #server: Server | undefined

  get url(): string {
    return `http://127.0.0.1:${this.#port}/jwks.json`
  }

  /** Opens the port, the same one every time. */
  async up(): Promise<void> {
    const server = createServer((request, response) => {
      this.asked.push(request.url ?? '')
      if (this.answer !== undefined) this.answer(request, response)
      else response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }))
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
  }

  /** Refuses connections from now on, and cuts those that are open. */
  async down(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}

export async function startIssuer(t: Test, ...keys: IssuerKey[]): Promise<Issuer> {
  const issuer = new Issuer()
  issuer.keys = keys
  await issuer.up()
  t.teardown(() => issuer.down())
  return issuer
}
