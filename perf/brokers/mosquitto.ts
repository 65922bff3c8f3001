import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOnPath } from '../peers.js'
import { onePort, type StartsBroker } from './broker.js'

/** Mosquitto at QoS 0, with small packets sent at once, which it does not do by default. It listens when it is ready. */
export const mosquitto: StartsBroker = (_kind, folder) => ({
  peer: {
    name: 'Mosquitto',
    missing: () => (isOnPath('mosquitto') ? null : 'mosquitto is not installed: sh perf/peers.sh'),
    command: ({ ports: [port] }) => {
      mkdirSync(folder, { recursive: true })
      const file = join(folder, 'mosquitto.conf')
      writeFileSync(
        file,
        `listener ${port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_inflight_messages 0
log_type error
user root
`,
      )
      return ['mosquitto', '-c', file]
    },
    target: onePort,
  },
  language: 'mqtt',
})
