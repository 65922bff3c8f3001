/** Processes that are told to read again, or that do not run for a while. */

import type { ChildProcess } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { connect } from 'node:tls'
import type { CertificateFiles } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import type { GatewayProcess } from '../gateway-process.js'
import type { Timeline } from '../timeline.js'
import type { Fault } from './fault.js'

export function hangup(gateway: GatewayProcess): Fault {
  return {
    name: 'SIGHUP',
    what: 'to a gateway that has nothing to read again',
    lasts: [0, 100],
    plant() {
      gateway.child.kill('SIGHUP')
      return () => {}
    },
  }
}

/** @param files those that the gateway was started with; @param others what they are replaced by in turn */
export function newCertificate(
  gateway: GatewayProcess,
  files: CertificateFiles,
  others: readonly CertificateFiles[],
): Fault {
  let turn = 0
  return {
    name: 'new certificate',
    what: 'other files and SIGHUP; new connections have to see it',
    lasts: [0, 1000],
    async plant() {
      const other = others[turn++ % others.length]!
      // Read between the two copies they do not fit; that is what the gateway has to live with, and the signal comes behind it.
      copyFileSync(other.cert, files.cert)
      copyFileSync(other.key, files.key)
      gateway.child.kill('SIGHUP')
      const subject = /(\w+)\.pem$/.exec(other.cert)![1]
      await eventually(async () => (await shownSubject(gateway.port)) === subject || `${subject} is not shown`, {
        timeoutMs: 60_000,
        everyMs: 100,
      })
      return () => {}
    },
  }
}

function shownSubject(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject?.CN))
      socket.destroy()
    })
    socket.once('error', () => resolve('an error'))
  })
}

export function stoppedGateway(gateways: readonly GatewayProcess[], timeline: Timeline): Fault {
  return {
    name: 'gateway stopped',
    what: 'SIGSTOP for 0.2 to 3 s, then SIGCONT',
    lasts: [200, 3000],
    plant(random) {
      const gateway = random.pick(gateways)!
      const end = timeline.begin(`${gateway.options.name} stopped`)
      gateway.child.kill('SIGSTOP')
      return () => {
        gateway.child.kill('SIGCONT')
        end()
      }
    },
  }
}

export function stoppedClient(running: ReadonlySet<Pick<ChildProcess, 'kill'>>): Fault {
  return {
    name: 'client stopped',
    what: 'SIGSTOP of a curl in the middle of its transfer, then SIGCONT',
    lasts: [200, 3000],
    async plant(random) {
      await eventually(() => running.size > 0 || 'no curl runs', { timeoutMs: 30_000 })
      const client = random.pick([...running])!
      client.kill('SIGSTOP')
      return () => void client.kill('SIGCONT')
    },
  }
}
