/** A real RabbitMQ on a free port of 127.0.0.1, for one example. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { connect } from '../support/raw.js'

/** Debian's own script would change to another user, and keep its files under /var/lib. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const TOOLS = ['amqp-declare-queue', 'amqp-publish', 'amqp-consume']
/** Erlang takes its time. */
const STARTS_WITHIN = { timeoutMs: 120_000, everyMs: 200 }

/** Starts it, and puts tools that call it before those of the system. @param dir of the example */
export async function withRabbit(dir: string, t: Test): Promise<NodeJS.ProcessEnv> {
  const port = await rabbitPort(t)
  for (const tool of TOOLS) {
    const wrapper = `#!/bin/sh\nexec /usr/bin/${tool} --url=amqp://127.0.0.1:${port} "$@"\n`
    writeFileSync(join(dir, '.bin', tool), wrapper, { mode: 0o755 })
  }
  return {}
}

/** Starts it, and returns its port. It ends with the test. */
export async function rabbitPort(t: Test): Promise<number> {
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  const home = mkdtempSync(join(tmpdir(), 'pipegate-rabbit-'))
  const at = (name: string) => join(home, name)
  writeFileSync(at('plugins'), '[].')
  writeFileSync(at('rabbitmq.conf'), 'log.file.level = error\n')
  writeFileSync(at('env.conf'), '')
  // The daemon that tells Erlang nodes of each other would stay for good if the server started it.
  const script = `setpriv --pdeathsig KILL epmd -port ${epmd} & exec setpriv --pdeathsig KILL ${SERVER}`
  const server = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: `${epmd}`,
      RABBITMQ_NODENAME: `docs-${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${distribution}`,
      RABBITMQ_MNESIA_BASE: at('mnesia'),
      // A file; the folder is for what else it writes, and a crash dump is on top of that.
      RABBITMQ_LOGS: at('log'),
      RABBITMQ_LOG_BASE: home,
      ERL_CRASH_DUMP: at('crash.dump'),
      RABBITMQ_PID_FILE: at('pid'),
      RABBITMQ_FEATURE_FLAGS_FILE: at('feature-flags'),
      RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
      RABBITMQ_CONFIG_FILE: at('rabbitmq'),
      RABBITMQ_CONF_ENV_FILE: at('env.conf'),
      // The script then becomes the server, instead of waiting for it.
      detached: '1',
    },
  })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  const ended = new Promise((resolve) => server.once('close', resolve))
  t.teardown(async () => {
    server.kill('SIGKILL')
    await ended
    rmSync(home, { recursive: true, force: true })
  })
  await eventually(async () => {
    try {
      ;(await connect({ port })).destroy()
      return true
    } catch (error) {
      if (server.exitCode !== null) throw new Error(`RabbitMQ ended with ${server.exitCode}: ${said}`)
      return `${error}; RabbitMQ has said: ${said}`
    }
  }, STARTS_WITHIN)
  return port
}
