import { createServer } from 'node:net'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; stop what uses it, or choose another with {flag}',
  EACCES: 'this user may not open that port; choose one from 1024 up with {flag}',
  EADDRNOTAVAIL: 'this machine does not have that address; choose another with --host',
  ENOTFOUND: 'no address is known for that host; choose another with --host',
  EAI_AGAIN: 'no address is known for that host; choose another with --host',
  EINVAL: 'that address cannot be listened on; choose another with --host',
}

/**
 * One line on why a port could not be opened. uWebSockets only says that it failed, so the port is tried once more with
 * Node, which says why.
 * @param flag the flag that sets the port
 */
export function explainListenFailure(host: string, port: number, flag: string): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer()
    const done = (why: string) => resolve(`cannot listen on ${host} port ${port}: ${why.replace('{flag}', flag)}`)
    probe.once('error', (error: NodeJS.ErrnoException) => done(REASONS[error.code ?? ''] ?? error.message))
    // If Node can open it now, it was in use a moment ago. If any port would have done, it was the address.
    probe.listen(port, host, () => probe.close(() => done(REASONS[port === 0 ? 'EINVAL' : 'EADDRINUSE']!)))
  })
}
