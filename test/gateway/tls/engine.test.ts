/** TLS as the engine speaks it itself, where the helper is off or there is none: what docs/protocol.md promises of it. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startProgram } from '../../support/program.js'
import { connect } from '../../support/raw.js'
import { argsFor, first } from './certificates.js'

const BODY = randomBytes(3_000_000)

t.test('without the helper: bytes arrive, and an upload that breaks off is not complete', async (t) => {
  const program = await startProgram(t, [...argsFor(first), '--socket-helper=no'])
  for (const args of [
    ['-T', '-'],
    ['-X', 'PUT', '--data-binary', '@-'],
  ]) {
    const receiver = curl(['-kN', program.url('whole')])
    const sent = await curlDone(['-k', ...args, program.url('whole')], { input: BODY })
    t.match(sent.stdout.toString(), /Transfer complete\.\n$/)
    const { code, stdout } = await receiver.result
    t.same([code, stdout.equals(BODY)], [0, true])
  }
  for (const [name, body] of [
    ['length', 'Content-Length: 5000\r\n\r\nsome of it'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\na\r\nsome of it\r\n'],
    ['line', 'Transfer-Encoding: chunked\r\n\r\na\r\nsome of it\r\n5'],
  ]) {
    const receiver = curl(['-kN', program.url(name!)])
    const { port } = program
    const sender = await connect({ port, tls: true })
    await sender.send(`PUT /api/v1/pipe/${name} HTTP/1.1\r\nHost: localhost\r\n${body}`)
    await receiver.waitFor('some of it')
    sender.destroy()
    t.not((await receiver.result).code, 0, `${name}: the receiver knows`)
    const line = () => program.logged('transfer').find(({ pipe }) => pipe === name)
    await eventually(() => line() !== undefined || 'no line')
    t.equal(line()!.reason, 'sender_left')
    t.notMatch(sender.text, 'Transfer complete')
  }
})
