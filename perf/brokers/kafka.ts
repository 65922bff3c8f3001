import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PEERS } from '../paths.js'
import { isOnPath } from '../peers.js'
import { missingPackage } from '../peers-package.js'
import { onePort, type StartsBroker } from './broker.js'

const JARS = `${PEERS}kafka`

function missing(): string | null {
  if (!isOnPath('java')) return 'Kafka needs java: apt-get install default-jre-headless'
  return existsSync(JARS) ? missingPackage('kafkajs') : 'Kafka is not installed: sh perf/peers.sh'
}

/** One Kafka broker, its own controller, whose log is in the folder. It listens when it is ready. */
export const kafka: StartsBroker = (kind, folder) => {
  if (kind === 'ask') return 'Kafka has no questions and answers'
  return {
    peer: {
      name: 'Kafka',
      startsWithinMs: 60_000,
      missing,
      command: ({ ports: [port, controller] }) => {
        const home = join(folder, 'kafka')
        mkdirSync(home, { recursive: true })
        const file = join(home, 'server.properties')
        writeFileSync(file, properties(port, controller, join(home, 'log'), kind === 'queue' ? 1000 : 0))
        const java = `java -cp '${JARS}/*'`
        const format = `${java} kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAQ --config ${file}`
        return ['sh', '-c', `${format} && exec ${java.replace('java', 'java -Xmx1g')} kafka.Kafka ${file}`]
      },
      target: onePort,
    },
    language: 'kafka',
    noIdle:
      'Kafka was not asked for the memory of idle receivers: a thousand members of a group take minutes to share it out',
  }
}

/** `joinMs`: how long the first members of a group wait for the others, which would otherwise share out again and again. */
const properties = (port: number, controller: number, log: string, joinMs: number) => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
log.dirs=${log}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=${joinMs}
`
