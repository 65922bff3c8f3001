import { fileURLToPath } from 'node:url'
import { missingPackage } from '../peers-package.js'
import { onePort, type StartsBroker } from './broker.js'

const SERVER = fileURLToPath(new URL('grpc-server.js', import.meta.url))

/** A relay of gRPC streams on Node. It listens when it is ready. */
export const grpc: StartsBroker = () => ({
  peer: {
    name: 'gRPC relay',
    missing: () => missingPackage('@grpc/grpc-js'),
    command: ({ ports: [port] }) => [process.execPath, SERVER, `${port}`],
    target: onePort,
  },
  language: 'grpc',
})
