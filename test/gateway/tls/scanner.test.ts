/** What a scanner (testssl.sh) says of a gateway with the TLS that it has by itself. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCertificate } from '../../support/certificate.js'
import { command } from '../../support/command.js'
import { startGateway } from '../../support/gateway.js'

t.jobs = 2

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

/** Scans a gateway with this kind of certificate, and returns what was found. */
async function scan(t: Test, algorithm: readonly string[], ...checks: readonly string[]): Promise<readonly Finding[]> {
  const dir = t.testdir({})
  const { cert, key } = makeCertificate(dir, { algorithm })
  const { port } = await startGateway(t, { tlsCert: cert, tlsKey: key })
  const report = join(dir, 'report.json')
  const quiet = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1']
  const args = [...quiet, '--jsonfile', report, ...checks, `localhost:${port}`]
  const { stdout } = await command('testssl', args, 120_000)
  const findings = JSON.parse(readFileSync(report, 'utf8')) as Finding[]
  t.ok(
    findings.some(({ id }) => id === 'scanTime'),
    `it came to its end: ${stdout.toString().slice(-300)}`,
  )
  return findings
}

/** What it says of the machine that it runs on. */
const OF_ITSELF = ['engine_problem', 'scanTime', 'old_fart']

function judge(t: Test, findings: readonly Finding[], expected: Readonly<Record<string, string | RegExp>>): void {
  const bad = findings.filter(({ id, severity }) => !['OK', 'INFO'].includes(severity) && !OF_ITSELF.includes(id))
  t.same(bad, [], 'nothing is wrong')
  for (const [id, text] of Object.entries(expected)) {
    t.match(findings.find((each) => each.id === id)?.finding ?? 'not looked at', text, id)
  }
}

t.test('protocols, ciphers and groups', async (t) => {
  const findings = await scan(t, ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], '-p', '-s', '-f', '-P')
  judge(t, findings, {
    SSLv2: /^not offered/,
    SSLv3: /^not offered/,
    TLS1: /^not offered/,
    TLS1_1: /^not offered/,
    TLS1_2: /^offered/,
    TLS1_3: /^offered with final/,
    ALPN: /^http\/1\.1$/,
    cipherlist_NULL: /^not offered/,
    cipherlist_aNULL: /^not offered/,
    cipherlist_EXPORT: /^not offered/,
    cipherlist_LOW: /^not offered/,
    cipherlist_3DES_IDEA: /^not offered/,
    cipherlist_AVERAGE: /^not offered/,
    cipherlist_STRONG: /^offered/,
    PFS: /^offered/,
    PFS_ECDHE_curves: /^prime256v1 secp384r1 secp521r1 X25519$/,
    cipher_order: /^server/,
    protocol_negotiated: /TLS1\.3/,
    cipher_negotiated: /^TLS_AES_128_GCM_SHA256, 253 bit ECDH \(X25519\)/,
  })
  t.notOk(
    findings.some(({ id }) => id === 'DH_groups'),
    'no finite fields',
  )
})

t.test('what has been broken in others', async (t) => {
  judge(t, await scan(t, ['rsa:2048'], '-U'), {
    heartbleed: /^not vulnerable/,
    CCS: /^not vulnerable/,
    ticketbleed: /^not vulnerable/,
    ROBOT: /^not vulnerable/,
    secure_renego: /^supported/,
    secure_client_renego: /^not vulnerable/,
    CRIME_TLS: /^not vulnerable/,
    BREACH: /^not vulnerable/,
    POODLE_SSL: /^not vulnerable/,
    fallback_SCSV: /^no protocol below TLS 1\.2 offered/,
    SWEET32: /^not vulnerable/,
    FREAK: /^not vulnerable/,
    DROWN: /^not vulnerable/,
    LOGJAM: /^not vulnerable/,
    BEAST: /^not vulnerable/,
    LUCKY13: /^not vulnerable/,
    RC4: /^not vulnerable/,
  })
})

t.test('no early data, which testssl.sh does not look for', async (t) => {
  const { port } = await startGateway(t, {}, { tls: true })
  const request = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const ask = `printf '${request.replaceAll('\r\n', '\\r\\n')}' | openssl s_client -connect 127.0.0.1:${port} -tls1_3 -ign_eof`
  const stdout = (await command('sh', ['-c', ask])).stdout.toString()
  t.match(stdout, /Max Early Data: 0/)
  t.notMatch(stdout, /Max Early Data: [1-9]/)
})
