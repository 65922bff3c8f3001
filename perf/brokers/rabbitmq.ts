import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOnPath } from '../peers.js'
import { missingPackage } from '../peers-package.js'
import { onePort, type StartsBroker } from './broker.js'

/** Debian's own script would change to another user, and keep its files under /var/lib. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/**
 * RabbitMQ as it comes, without plugins; its files are in the folder. It listens at the end of its start. The daemon that
 * tells Erlang nodes of each other (epmd) is its child here, and ends with it: the one that it would start stays for good.
 */
export const rabbitmq: StartsBroker = (_kind, folder) => ({
  peer: {
    name: 'RabbitMQ',
    startsWithinMs: 60_000,
    missing: () =>
      existsSync(SERVER) && isOnPath('epmd')
        ? missingPackage('amqplib')
        : 'rabbitmq-server is not installed: sh perf/peers.sh',
    command: ({ ports: [port, distribution, epmd] }) => {
      const at = (name: string) => join(folder, 'rabbitmq', name)
      mkdirSync(at(''), { recursive: true })
      writeFileSync(at('plugins'), '[].')
      writeFileSync(at('rabbitmq.conf'), 'log.file.level = error\n')
      writeFileSync(at('env.conf'), '')
      const settings = {
        HOME: at(''),
        ERL_EPMD_ADDRESS: '127.0.0.1',
        ERL_EPMD_PORT: epmd,
        RABBITMQ_NODENAME: `perf-${port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: port,
        RABBITMQ_DIST_PORT: distribution,
        RABBITMQ_MNESIA_BASE: at('mnesia'),
        RABBITMQ_LOGS: at('log'),
        RABBITMQ_PID_FILE: at('pid'),
        RABBITMQ_FEATURE_FLAGS_FILE: at('feature-flags'),
        RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
        RABBITMQ_CONFIG_FILE: at('rabbitmq'),
        RABBITMQ_CONF_ENV_FILE: at('env.conf'),
        // The script then becomes the server, instead of waiting for it.
        detached: 1,
      }
      const script = `setpriv --pdeathsig KILL epmd -port ${epmd} & exec ${SERVER}`
      return ['env', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), 'sh', '-c', script]
    },
    target: onePort,
  },
  language: 'amqp',
})
