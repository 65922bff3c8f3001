/** What the questions in docs/replaces have to lead to: with the systems, with a URL, and with both. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { readProject } from '../support/project.js'
import { examplesOf } from './examples.js'
import { natsPort } from './nats-server.js'
import { withPython } from './python.js'
import { rabbitPort } from './rabbit-server.js'
import type { Stage } from './stage.js'

const SHELLS = ['bash'] as const
const ANSWER = 'IS ANYBODY THERE?'
const SHOWN_ORIGIN = 'http://127.0.0.1:8080'

function read(dir: string, file: string): string {
  const path = join(dir, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** The programs end by themselves, and leave these files. */
function leaves(files: Readonly<Record<string, string>>): Stage {
  return {
    shells: SHELLS,
    check(t, dir) {
      for (const [file, content] of Object.entries(files)) t.equal(read(dir, file).trim(), content, file)
    },
  }
}

/** The servers go on for ever; whoever asks them has these answers. */
function answers(files: Readonly<Record<string, string>>, prepare: NonNullable<Stage['prepare']>): Stage {
  return {
    shells: SHELLS,
    prepare,
    endless: async (dir, run) => {
      const isThere = () => Object.entries(files).every(([file, content]) => read(dir, file).trim() === content)
      await eventually(() => isThere() || run.map(({ text }) => text).join('---\n'), { timeoutMs: 60_000 })
    },
  }
}

/** Lays a page's Python programs, which begin with their names, into `dir`; what they show of addresses becomes what `real` says. */
function layPrograms(dir: string, page: string, real: Readonly<Record<string, string>>): void {
  for (const { kind, text } of examplesOf(readProject(`docs/replaces/${page}.md`))) {
    const file = /^# (\w+\.py)\n/.exec(text)?.[1]
    if (kind !== 'python' || file === undefined) continue
    const own = Object.entries(real).reduce((code, [shown, address]) => code.replaceAll(shown, address), text)
    writeFileSync(join(dir, file), own)
  }
}

/** The programs of a page that has these addresses, on ports of their own, and a Python that has the module. */
function withPrograms(page: string, module: string, ...shown: string[]): NonNullable<Stage['prepare']> {
  return async (dir, _t, origin) => {
    const real: Record<string, string> = { [SHOWN_ORIGIN]: origin }
    for (const address of shown) real[address] = `127.0.0.1:${await freePort()}`
    layPrograms(dir, page, real)
    withPython(dir, module)
    return {}
  }
}

async function withRabbitPrograms(dir: string, t: Test, origin: string): Promise<NodeJS.ProcessEnv> {
  const port = await rabbitPort(t)
  layPrograms(dir, 'rabbitmq', { [SHOWN_ORIGIN]: origin, '127.0.0.1:5672': `127.0.0.1:${port}` })
  withPython(dir, 'pika')
  return {}
}

async function withNats(_dir: string, t: Test): Promise<NodeJS.ProcessEnv> {
  // The tool keeps what it remembers of servers at home.
  return { NATS_URL: `nats://127.0.0.1:${await natsPort(t)}`, HOME: t.testdirName }
}

const withZeroMq = withPrograms('zeromq', 'zmq', '127.0.0.1:5559', '127.0.0.1:5560')
const withGrpc = withPrograms('grpc-streaming', 'grpc', '127.0.0.1:50051')
const ONE = { 'answer.txt': ANSWER }
const BOTH = { ...ONE, 'other.txt': 'ME TOO' }
const NIGHT = { atNight: true } as const

export const QUESTIONS_STAGES: Readonly<Record<string, Stage>> = {
  'rabbitmq-rpc': { ...answers(ONE, withRabbitPrograms), ...NIGHT },
  'rabbitmq-as-ask': leaves(ONE),
  'rabbitmq-both': { ...answers(BOTH, withRabbitPrograms), ...NIGHT },
  'nats-request': { ...answers(ONE, withNats), ...NIGHT },
  'nats-as-ask': leaves(ONE),
  'nats-both': { ...answers(BOTH, withNats), ...NIGHT },
  'zeromq-questions': answers(ONE, withZeroMq),
  'zeromq-as-ask': leaves(ONE),
  'zeromq-both': answers(BOTH, withZeroMq),
  'grpc-calls': answers({ 'answer.txt': `${ANSWER}\nONE\nTWO` }, withGrpc),
  'grpc-as-ask': leaves(ONE),
  'grpc-as-talk': leaves({ 'answer.txt': 'ONE\nTWO' }),
  'grpc-both': answers(BOTH, withGrpc),
}
