/** What uWebSockets.js does with certificates: what a change of them is built on, and why there are no client certificates. */

import type { TemplatedApp } from 'uWebSockets.js'
import { readFileSync } from 'node:fs'
import { type ConnectionOptions, connect } from 'node:tls'
import t, { type Test } from 'tap'
import { type CertificateFiles, makeCertificate } from '../support/certificate.js'
import { listen, uws } from './app.js'

/** What an app has and its type does not declare. */
interface Undeclared {
  getDescriptor(): number
  addChildAppDescriptor(app: number): void
}

const dir = t.testdir({})
const own = makeCertificate(dir, { name: 'own' })
const next = makeCertificate(dir, { name: 'next' })

function tlsApp(t: Test, { cert, key }: CertificateFiles, options = {}): TemplatedApp & Undeclared {
  const app = uws.SSLApp({ cert_file_name: cert, key_file_name: key, ...options })
  t.teardown(() => app.close())
  app.any('/*', (res) => {
    res.end('hello')
  })
  return app as TemplatedApp & Undeclared
}

async function open(app: TemplatedApp): Promise<number> {
  const socket = await listen(app, '127.0.0.1', 0)
  if (socket === false) throw new Error('could not listen')
  return uws.us_socket_local_port(socket)
}

/** Asks for a page, and resolves with the subject of the certificate and the page, or with what became of it instead. */
function ask(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    socket.once('data', (data) => {
      resolve(`${socket.getPeerCertificate().subject.CN}: ${String(data).split('\r\n').at(-1)}`)
      socket.destroy()
    })
    socket.once('error', ({ message }) => resolve(message))
  })
}

t.test('an app hands the connections that it accepts to its child, which has another certificate', async (t) => {
  const [app, child] = [tlsApp(t, own), tlsApp(t, next)]
  const port = await open(app)
  t.equal(await ask(port), 'own: hello')
  app.addChildAppDescriptor(child.getDescriptor())
  for (let i = 0; i < 5; i++) t.equal(await ask(port), 'next: hello')
})

t.test('a client certificate is asked for and checked, but a client without one is let in', async (t) => {
  const [authority, stranger] = ['authority', 'stranger'].map((name) => makeCertificate(dir, { name, names: '' }))
  // Were it refused, certificates of clients could be offered as a setting.
  const port = await open(tlsApp(t, own, { ca_file_name: authority!.cert }))
  t.equal(await ask(port), 'own: hello')
  const shown = ({ cert, key }: CertificateFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) })
  t.equal(await ask(port, shown(authority!)), 'own: hello')
  t.match(await ask(port, shown(stranger!)), /unknown ca/)
})

t.test('names are compared letter by letter', async (t) => {
  const app = tlsApp(t, own)
  app.addServerName('a.test', { cert_file_name: next.cert, key_file_name: next.key })
  const port = await open(app)
  t.equal(await ask(port, { servername: 'A.test' }), 'own: hello')
})
