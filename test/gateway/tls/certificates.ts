/** Certificates for tests, and what shows which one is served. */

import { type ConnectionOptions, connect } from 'node:tls'
import t from 'tap'
import type { FlagValues } from '../../../gateway/config/config.js'
import { type CertificateFiles, makeCertificate } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import type { Running } from '../../support/gateway.js'

export const store = t.testdir({ 'junk.pem': 'this is no PEM file\n' })
export const make = (name: string, names: string, dates?: readonly [string, string]) =>
  makeCertificate(store, { name, names, ...(dates === undefined ? {} : { dates }) })
export const CERTIFICATES = {
  first: make('first', 'DNS:localhost,DNS:first.test,IP:127.0.0.1'),
  second: make('second', 'DNS:localhost'),
  exact: make('exact', 'DNS:exact.wild.test,DNS:Other.Test'),
  wild: make('wild', 'DNS:*.wild.test,DNS:*.first.test'),
  wildFirst: make('wildFirst', 'DNS:*.test'),
  nameless: make('nameless', ''),
  address: make('address', 'IP:127.0.0.2'),
}
export const { first, second, exact, wild } = CERTIFICATES

export function pairs(...files: readonly CertificateFiles[]): string {
  return files.map(({ cert, key }) => `${cert}:${key}`).join(',')
}

export function flagsFor({ cert, key }: CertificateFiles, ...others: readonly CertificateFiles[]): FlagValues {
  return { tlsCert: cert, tlsKey: key, ...(others.length === 0 ? {} : { tlsSni: pairs(...others) }) }
}

export function argsFor(main: CertificateFiles, ...others: readonly CertificateFiles[]): string[] {
  const sni = others.length === 0 ? [] : ['--tls-sni', pairs(...others)]
  return ['--tls-cert', main.cert, '--tls-key', main.key, ...sni]
}

/** Shakes hands, and resolves with the subject of the certificate that was shown; rejects with what was said instead. */
export function shown(port: number, servername?: string, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const name = servername === undefined ? {} : { servername }
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...name, ...options })
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject?.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

/** Waits for the `count`-th line of this message. */
export async function logged({ lines }: Running, msg: string, count = 1) {
  const found = () => lines.filter((line) => line.msg === msg)
  await eventually(() => found().length >= count || `${found().length} of ${count} lines: ${msg}`)
  return found()[count - 1]!
}
