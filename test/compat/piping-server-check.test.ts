/**
 * The checks of piping-server-check (https://github.com/nwtgck/piping-server-check), where that program is on the PATH. What it
 * looks at is tested in our own words beside this file. HTTP/1.0 over TLS is not served.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { command } from '../support/command.js'
import { MAIN } from '../support/project.js'

const PROGRAM = 'piping-server-check'
const TIMEOUT_MS = 100_000

const found = (process.env.PATH ?? '').split(delimiter).some((folder) => {
  try {
    accessSync(join(folder, PROGRAM), constants.X_OK)
    return true
  } catch {
    return false
  }
})
const skip = found ? false : `${PROGRAM} is not on the PATH`

/**
 * What no server can pass, Piping Server included: the program's client of HTTP/1.0 closes the connection when it has read the
 * head, so it has only as much of a body as it read together with that, and this one has 8 MiB.
 */
const IMPOSSIBLE = '"name":"multipart_form_data","protocol":"http1.0"'

for (const protocol of ['http1.0', 'http1.1', 'http1.1-tls']) {
  t.test(`${PROGRAM} --${protocol}`, { skip, timeout: TIMEOUT_MS + 10_000 }, async (t) => {
    const { cert, key } = makeCertificate(t.testdir({}))
    const port = protocol.endsWith('-tls') ? `"$HTTPS_PORT" --tls-cert ${cert} --tls-key ${key}` : '"$HTTP_PORT"'
    const server = `exec ${process.execPath} ${MAIN} serve --log-level warn --port ${port}`
    const args = ['--server-command', server, '--health-check-path', '/version', '--tls-skip-verify']
    const load = ['--concurrency', '4', '--transfer-speed-byte', '1000000000', '--transfer-span', '1s,3s']
    const { stdout } = await command(PROGRAM, [`--${protocol}`, ...args, ...load], TIMEOUT_MS)
    const failed = stdout
      .toString()
      .split('\n')
      .filter((line) => line.includes('"errors"') && !line.includes(IMPOSSIBLE))
    t.same(failed, [], 'no check fails')
    const passed = stdout.toString().split('"ok":true').length - 1
    t.ok(passed >= 20, `${passed} checks pass`)
  })
}
