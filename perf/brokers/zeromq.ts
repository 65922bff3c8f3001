import { fileURLToPath } from 'node:url'
import { missingPackage } from '../peers-package.js'
import type { StartsBroker } from './broker.js'

const PROXY = fileURLToPath(new URL('zeromq-proxy.js', import.meta.url))

/** A proxy of ZeroMQ. It opens the port of the senders last. */
export const zeromq: StartsBroker = (kind) => ({
  peer: {
    name: 'ZeroMQ proxy',
    missing: () => missingPackage('zeromq'),
    command: ({ ports: [port, outPort] }) => [process.execPath, PROXY, kind, `${port}`, `${outPort}`],
    target: ({ ports: [port, outPort] }) => ({ scheme: 'raw', port, outPort }),
  },
  language: 'zmtp',
})
