/** `zeromq-proxy.js KIND PORT OUT-PORT`: libzmq's own proxy between the two sockets that the kind asks for. */

import { peersPackage } from '../peers-package.js'

interface ZmqSocket {
  bind(address: string): Promise<void>
}

type SocketClass = new (options: object) => ZmqSocket

interface Library {
  XSubscriber: SocketClass
  XPublisher: SocketClass
  Pull: SocketClass
  Push: SocketClass
  Router: SocketClass
  Dealer: SocketClass
  Proxy: new (front: ZmqSocket, back: ZmqSocket) => { run(): Promise<void> }
}

const library = peersPackage('zeromq') as Library
const SOCKETS: Readonly<Record<string, readonly [SocketClass, SocketClass]>> = {
  topic: [library.XSubscriber, library.XPublisher],
  queue: [library.Pull, library.Push],
  ask: [library.Router, library.Dealer],
}

const [kind = '', port, outPort] = process.argv.slice(2)
const [Front, Back] = SOCKETS[kind]!
const [front, back] = [new Front({}), new Back({})]
const proxy = new library.Proxy(front, back)
await back.bind(`tcp://127.0.0.1:${outPort}`)
await front.bind(`tcp://127.0.0.1:${port}`)
await proxy.run()
