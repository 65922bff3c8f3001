/**
 * A client that shakes hands as everybody does, and then sends records that no TLS library sends: it knows the keys, which Node tells for
 * debugging. RFC 8446, sections 5.2 and 7; RFC 5246, sections 5 and 6.3; RFC 5288.
 */

import { createCipheriv, createHmac } from 'node:crypto'
import { type Socket, connect as tcpConnect } from 'node:net'
import { Duplex } from 'node:stream'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Teardown } from '../../support/teardown.js'

/** Content types of records. */
export const ALERT = 21
export const HANDSHAKE = 22
export const DATA = 23

export class ForgedClient {
  readonly #tls: TLSSocket
  readonly #wire: Socket
  readonly #seal: Seal
  /** All that was received and decrypted. */
  received = ''
  /** The server has announced the end. */
  endedCleanly = false
  isClosed = false

  private constructor(tls: TLSSocket, wire: Socket, seal: Seal) {
    this.#tls = tls
    this.#wire = wire
    this.#seal = seal
    tls.on('data', (data) => (this.received += data.toString('latin1')))
    tls.on('end', () => {
      this.endedCleanly = true
    })
    for (const each of [tls, wire]) each.on('error', () => {})
    wire.on('close', () => {
      this.isClosed = true
    })
  }

  static async connect(t: Teardown, port: number, version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<ForgedClient> {
    const wire = tcpConnect({ port, host: '127.0.0.1', noDelay: true })
    let first = Buffer.alloc(0)
    wire.setMaxListeners(0)
    // Node reads a socket itself once TLS is on it, and nobody else sees what comes.
    const between = new Duplex({
      read: () => void wire.resume(),
      write: (data, _, done) => void wire.write(data, done),
    })
    wire.on('data', (data) => {
      if (first.length < 43) first = Buffer.concat([first, data])
      if (!between.push(data)) wire.pause()
    })
    wire.on('end', () => between.push(null))
    const tls = tlsConnect({
      socket: between,
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
    })
    t.teardown(() => {
      tls.destroy()
      wire.destroy()
    })
    const secrets = new Map<string, string[]>()
    tls.on('keylog', (line) => {
      const [label, ...rest] = line.toString().trim().split(' ')
      secrets.set(label!, rest)
    })
    await new Promise((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject))
    // Its last message of the handshake leaves behind this event.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
    if (version === 'TLSv1.3') {
      const [, secret] = secrets.get('CLIENT_TRAFFIC_SECRET_0')!
      return new ForgedClient(tls, wire, new Seal13(Buffer.from(secret!, 'hex')))
    }
    const [random, master] = secrets.get('CLIENT_RANDOM')!.map((hex) => Buffer.from(hex, 'hex'))
    // Behind the heads of record and message, and the version.
    return new ForgedClient(tls, wire, new Seal12(master!, Buffer.concat([first.subarray(11, 43), random!])))
  }

  /** The next record. Nothing must be sent by `Node` beside these. */
  record(type: number, content: Uint8Array | string): Buffer {
    return this.#seal.record(type, Buffer.from(content as string, 'latin1'))
  }

  /** A record that says that the next one is under new keys. */
  keyUpdate(asksForTheSame: boolean): Buffer {
    const record = this.record(HANDSHAKE, Buffer.from([24, 0, 0, 1, asksForTheSame ? 1 : 0]))
    this.#seal.update()
    return record
  }

  /** Resolves when the kernel has taken it, or the connection is gone. */
  send(...records: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve) => {
      if (this.#wire.destroyed) return resolve()
      this.#wire.once('close', () => resolve())
      this.#wire.write(Buffer.concat(records), () => resolve())
    })
  }

  /** TCP's end, without TLS's. */
  endWire(): void {
    this.#wire.end()
  }

  pause(): void {
    this.#tls.pause()
    this.#wire.pause()
  }
}

interface Seal {
  record(type: number, content: Buffer): Buffer
  update(): void
}

function gcm(key: Buffer, nonce: Buffer, head: Buffer, content: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  cipher.setAAD(head)
  return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  return createHmac('sha256', key).update(Buffer.concat(parts)).digest()
}

class Seal13 implements Seal {
  #sequence = 0n

  constructor(private secret: Buffer) {}

  #expand(label: string, length: number): Buffer {
    const name = Buffer.from(`tls13 ${label}`)
    const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])])
    return hmac(this.secret, info).subarray(0, length)
  }

  record(type: number, content: Buffer): Buffer {
    const [key, nonce] = [this.#expand('key', 16), Buffer.from(this.#expand('iv', 12))]
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence++, 4)
    const length = content.length + 1 + 16
    const head = Buffer.from([DATA, 3, 3, length >> 8, length & 255])
    return Buffer.concat([head, gcm(key, nonce, head, Buffer.concat([content, Buffer.from([type])]))])
  }

  update(): void {
    this.secret = this.#expand('traffic upd', 32)
    this.#sequence = 0n
  }
}

class Seal12 implements Seal {
  readonly #key: Buffer
  readonly #salt: Buffer
  /** The first one was the end of the handshake. */
  #sequence = 1n

  constructor(master: Buffer, randoms: Buffer) {
    const seed = Buffer.concat([Buffer.from('key expansion'), randoms])
    const first = hmac(master, seed)
    const block = Buffer.concat([hmac(master, first, seed), hmac(master, hmac(master, first), seed)])
    this.#key = block.subarray(0, 16)
    this.#salt = block.subarray(32, 36)
  }

  record(type: number, content: Buffer): Buffer {
    const number = Buffer.alloc(8)
    number.writeBigUInt64BE(this.#sequence++)
    const about = Buffer.from([type, 3, 3, content.length >> 8, content.length & 255])
    const sealed = gcm(this.#key, Buffer.concat([this.#salt, number]), Buffer.concat([number, about]), content)
    const length = number.length + sealed.length
    return Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 255]), number, sealed])
  }

  update(): void {
    throw new Error('TLS 1.2 has no new keys')
  }
}
