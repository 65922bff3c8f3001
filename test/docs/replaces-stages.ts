/** What the examples of docs/replaces have to lead to: those of the systems, and the same with a URL. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { RedisServer } from '../support/redis-server.js'
import { withRabbit } from './rabbit-server.js'
import { type Stage, same } from './stage.js'

const BASH = ['bash'] as const

function read(dir: string, file: string): string {
  const path = join(dir, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** A subscriber that would go on for ever has written all of this, in this order. */
function seen(file: string, ...parts: string[]): Stage {
  return {
    shells: BASH,
    endless: async (dir) => {
      const pattern = new RegExp(parts.join('[^]*'))
      await eventually(() => pattern.test(read(dir, file)) || `${file}: ${read(dir, file)}`, { timeoutMs: 60_000 })
    },
  }
}

/** One worker has taken this. */
function taken(file: string, content: string | RegExp): Stage {
  return {
    shells: BASH,
    check: (t, dir) => t.match(read(dir, file), content),
  }
}

/** A real Redis, on a port of its own, which `redis-cli` finds. */
async function withRedis(dir: string, t: Test): Promise<NodeJS.ProcessEnv> {
  const { port } = await RedisServer.start(t)
  const cli = `#!/bin/sh\nPATH=$(printf %s "$PATH" | cut -d: -f2-)\nexec redis-cli -p ${port} "$@"\n`
  writeFileSync(join(dir, '.bin/redis-cli'), cli, { mode: 0o755 })
  return {}
}

export const REPLACES_STAGES: Readonly<Record<string, Stage>> = {
  'redis-pub-sub': { ...seen('seen.txt', 'order 7', 'order 8'), prepare: withRedis },
  'redis-list': { ...taken('job.txt', /^jobs\nresize 7\.png\n$/), prepare: withRedis },
  'redis-as-topic': seen('seen.txt', 'order 7\n', 'order 8\n'),
  'redis-as-queue': taken('job.txt', 'resize 7.png\n'),
  'redis-both': {
    ...seen('seen.txt'),
    prepare: withRedis,
    endless: async (dir) => {
      const has = () => ['order 7', 'order 8'].every((each) => read(dir, 'seen.txt').includes(each))
      await eventually(() => has() || read(dir, 'seen.txt'), { timeoutMs: 60_000 })
    },
  },
  'rabbitmq-work': { ...taken('job.txt', 'resize 7.png'), prepare: withRabbit, atNight: true },
  'rabbitmq-as-queue': taken('job.txt', 'resize 7.png'),
  'rabbitmq-as-topic': {
    ...seen('shipping.txt', 'order 7\n'),
    endless: async (dir) => {
      const has = () => ['shipping.txt', 'analytics.txt'].every((each) => read(dir, each) === 'order 7\n')
      await eventually(() => has() || 'not everybody has it', { timeoutMs: 60_000 })
    },
  },
  'nats-as-topic': seen('seen.txt', 'order 7\n'),
  'nats-as-queue': taken('done.txt', 'resize 7.png\nresize 8.png\n'),
  'zeromq-as-queue': taken('job.txt', 'resize 7.png'),
  'zeromq-as-topic': seen('seen.txt', '10001 4\n10001 5\n'),
  'grpc-as-name': taken('last.txt', '100000\n'),
  'kafka-as-topic': seen('seen.txt', 'user/7\nuser/8\n'),
  'bucket-as-name': {
    shells: BASH,
    has: { photos: { 'a.jpg': 'a picture' } },
    there: {},
    check: (t, dir) => same(t, dir, 'photos/a.jpg', 'there/photos/a.jpg'),
  },
  'folder-as-queue': {
    shells: BASH,
    there: { 'a.csv': '1,2\n', 'b.csv': '3,4\n' },
    check: (t, dir) => {
      same(t, dir, 'a.csv', 'there/a.csv')
      same(t, dir, 'b.csv', 'there/b.csv')
    },
  },
  'hub-as-topic': seen('seen.txt', 'data: \\{"home":1,"away":0\\}\n\n'),
}
