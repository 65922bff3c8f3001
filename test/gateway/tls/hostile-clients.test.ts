/** Certificates of clients that mean harm. */

import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Authority } from '../../support/authority.js'
import type { CertificateFiles } from '../../support/certificate.js'
import { ask, ca, fileWith, folder, Kept, startWho } from '../../support/client-certificates.js'
import { command } from '../../support/command.js'

t.jobs = 3

const good = ca.issue({ name: 'good' })

/** What stands in DER at an offset: its tag with its length, and its content. */
function element(der: Buffer, at: number): { readonly from: number; readonly to: number } {
  const first = der[at + 1]!
  if (first < 0x80) return { from: at + 2, to: at + 2 + first }
  const size = first & 0x7f
  const from = at + 2 + size
  return { from, to: from + der.readUIntBE(at + 2, size) }
}

function wrapped(tag: number, content: Buffer): Buffer {
  const length = content.length
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

/** The certificate with some octets of it in the place of others of the same number, signed by the authority all the same. */
function altered({ cert, key }: CertificateFiles, from: string, to: string): CertificateFiles {
  const der = new X509Certificate(readFileSync(cert)).raw
  const whole = element(der, 0)
  const signed = Buffer.from(der.subarray(whole.from, element(der, whole.from).to))
  for (let at = signed.indexOf(from); at >= 0; at = signed.indexOf(from, at + 1)) signed.write(to, at, 'latin1')
  const algorithmAt = whole.from + signed.length
  const algorithm = der.subarray(algorithmAt, element(der, algorithmAt).to)
  const signature = sign('sha256', signed, createPrivateKey(readFileSync(ca.key)))
  const made = wrapped(
    0x30,
    Buffer.concat([signed, algorithm, wrapped(0x03, Buffer.concat([Buffer.of(0), signature]))]),
  )
  const pem = made.toString('base64').replace(/.{1,64}/g, '$&\n')
  return { cert: fileWith(`-----BEGIN CERTIFICATE-----\n${pem}-----END CERTIFICATE-----\n`), key }
}

t.test('names with characters that end a text, a line or a list', async (t) => {
  const { url } = await startWho(t, 'required')
  const told = async (shown: CertificateFiles) => JSON.parse((await ask(url('who'), shown)).text)
  const nul = altered(ca.issue({ name: 'admin.x.evil', names: 'DNS:admin.x.evil' }), 'admin.x.evil', 'admin.\0.evil')
  t.match(await told(nul), {
    commonName: 'admin.\0.evil',
    subject: 'CN=admin.\\00.evil',
    alternativeNames: [{ kind: 'dns', value: 'admin.\0.evil' }],
  })
  const line = ca.issue({ name: 'line', subject: '/CN=admin\nCN=root' })
  t.match(await told(line), { commonName: 'admin\nCN=root', subject: 'CN=admin\\0ACN=root' })
  const list = altered(
    ca.issue({ name: 'list', names: 'DNS:evil...DNS.admin' }),
    'evil...DNS.admin',
    'evil, DNS:admin.',
  )
  t.match(await told(list), { alternativeNames: [{ kind: 'dns', value: 'evil, DNS:admin.' }] })
  const quote = altered(
    ca.issue({ name: 'quote', names: 'DNS:evil...DNS.admin' }),
    'evil...DNS.admin',
    'e"il\\, DNS:admi',
  )
  t.match(await told(quote), { alternativeNames: [{ kind: 'dns', value: 'e"il\\, DNS:admi' }] })
})

t.test('an authority of the same name, with another key', async (t) => {
  const { url } = await startWho(t, 'required')
  const impostor = new Authority(join(folder, 'ca'), 'ca')
  const shown = impostor.issue({ name: 'good-too' })
  t.match(await ask(url('who'), shown), { status: 403, code: 'BAD_CLIENT_CERTIFICATE' })
  const chain = { cert: fileWith(readFileSync(shown.cert, 'utf8') + impostor.pem), key: shown.key }
  t.match(await ask(url('who'), chain), { status: 403, code: 'BAD_CLIENT_CERTIFICATE' })
  t.equal((await ask(url('who'), good)).status, 200)
})

t.test('as many names as fit, and more', async (t) => {
  const { port, url } = await startWho(t, 'required')
  const named = (count: number) =>
    ca.issue({ name: `names-${count}`, names: Array.from({ length: count }, (_, i) => `DNS:n${i}.example.org`).join() })
  const most = named(1400)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version }
    const kept = await Kept.open(t, port, most, only)
    t.equal(JSON.parse((await kept.ask()).body).alternativeNames.length, 1400)
    // The ticket is longer than what a client hello holds.
    const again = await Kept.open(t, port, most, { ...only, session: kept.session! })
    t.equal(await again.name(), 'names-1400', version)
  }
  for (const count of [3000, 10_000]) {
    const said = await ask(url('who'), named(count))
    t.match(said, { status: 0 }, `${count} names end the handshake`)
  }
  t.equal((await ask(url('who'), good)).status, 200)
})

t.test('chains without end', async (t) => {
  const { url } = await startWho(t, 'required')
  const chain = [ca]
  for (let i = 0; i < 12; i++) chain.push(new Authority(folder, `link-${i}`, chain[i]))
  const shown = (length: number) => {
    const leaf = chain[length]!.issue({ name: `end-of-${length}` })
    const all = chain.slice(1, length + 1).reverse()
    return { cert: fileWith(readFileSync(leaf.cert, 'utf8') + all.map(({ pem }) => pem).join('')), key: leaf.key }
  }
  t.equal((await ask(url('who'), shown(8))).status, 200)
  t.match(await ask(url('who'), shown(12)), {
    status: 403,
    text: /certificate chain too long|unable to get local issuer/,
  })
})

t.test('another certificate in the middle of a connection', async (t) => {
  const { port } = await startWho(t, 'optional')
  const talk = (input: string, ...args: readonly string[]) =>
    command('sh', [
      '-c',
      `(printf '${input}'; sleep 1) | openssl s_client -connect 127.0.0.1:${port} ${args.join(' ')} 2>&1`,
    ])
  const own = ['-cert', good.cert, '-key', good.key]
  // "R" asks to renegotiate.
  const again = (await talk('R\\n', '-tls1_2', ...own)).stdout.toString()
  t.match(again, /RENEGOTIATING[\s\S]*no renegotiation/)
  const late = (await talk('', '-tls1_3', '-enable_pha', ...own)).stdout.toString()
  t.match(late, /Verif(y|ication)/)
  t.match(await (await Kept.open(t, port, good)).name(), 'good')
})
