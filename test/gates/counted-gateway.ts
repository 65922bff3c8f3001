/**
 * A gateway that counts the objects of its own classes. Run with an IPC channel: it sends its port, and answers each message. With the
 * argument `keeping` it has the fault that is looked for: a Map in which each transfer that has ended is a key.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { type Runtime, Session } from 'node:inspector'
import { join } from 'node:path'
import { GCProfiler, type GCProfilerResult } from 'node:v8'
import '../../gateway/serve/v8-flags.js'
import { loadConfig } from '../../gateway/config/config.js'
import { definePlugin, type GatewayView, type PipeView, PLUGIN_API, z } from '../../gateway/host/plugin-api.js'
import { logTo } from '../../gateway/log/log.js'
import { Gateway } from '../../gateway/serve/gateway.js'
import { defaultPlugins } from '../support/gateway.js'
import { TEST_HOSTS } from '../support/hosts.js'
import { PROJECT } from '../support/project.js'

/** How many objects there are, by class. */
export type Counts = Readonly<Record<string, number>>
/** `open`: requests, pipes and topics that are not over. `promoted`: bytes that have grown old since it was last asked. */
export type Question = 'count' | 'open' | 'promoted'

const ROOMS = ['core', 'gateway', 'plugins']

/** The names of all classes in the sources, also of those that no module exports. */
function classNames(): string[] {
  return ROOMS.flatMap((room) => {
    const folder = join(PROJECT, 'dist', room)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
    const sources = files.map((file) => readFileSync(join(folder, file), 'utf8'))
    return sources.flatMap((text) => [...text.matchAll(/^\s*(?:export )?class (\w+)/gm)].map(([, name]) => name!))
  })
}

/** Runs in the inspector, on the list of all objects. */
function countByClass(this: readonly object[], names: string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = 0
  for (const each of this) {
    const prototype = Object.getPrototypeOf(each)
    const name = Object.getOwnPropertyDescriptor(prototype ?? {}, 'constructor')?.value?.name
    if (Object.hasOwn(counts, name)) counts[name]!++
  }
  return counts
}

const names = classNames()
const inspector = new Session()
inspector.connect()

function post<Result>(method: string, parameters: object): Promise<Result> {
  return new Promise((resolve, reject) => {
    inspector.post(method, parameters, (error, result) => {
      if (error === null) resolve(result as Result)
      else reject(error)
    })
  })
}

/** `Runtime.queryObjects` collects all garbage before it looks. */
async function count(): Promise<Counts> {
  const objectGroup = 'counting'
  const prototype = await post<Runtime.EvaluateReturnType>('Runtime.evaluate', {
    expression: 'Object.prototype',
    objectGroup,
  })
  const all = await post<Runtime.QueryObjectsReturnType>('Runtime.queryObjects', {
    prototypeObjectId: prototype.result.objectId,
    objectGroup,
  })
  const counted = await post<Runtime.CallFunctionOnReturnType>('Runtime.callFunctionOn', {
    objectId: all.objects.objectId,
    functionDeclaration: `${countByClass}`,
    arguments: [{ value: names }],
    returnByValue: true,
  })
  await post('Runtime.releaseObjectGroup', { objectGroup })
  return counted.result.value
}

const isKeeping = process.argv[2] === 'keeping'
const kept = new Map<PipeView, number>()
let view: GatewayView | undefined
const onlooker = definePlugin({
  name: 'onlooker',
  api: PLUGIN_API,
  config: z.strictObject({}),
  setup: (host) => {
    view = host.gateway
    return isKeeping ? { hooks: { onEnded: (pipe) => void kept.set(pipe, kept.size) } } : {}
  },
})
const gateway = new Gateway(
  loadConfig({ flags: { port: '0', hosts: TEST_HOSTS }, env: {} }),
  logTo({ write() {} }, { logLevel: 'trace', logFormat: 'json' }),
  [...(await defaultPlugins()), { plugin: onlooker }],
)

function openOnes(): number {
  const { table } = gateway
  return view!.openRequests + table.waiting + table.streaming + table.topics.size
}

let profiler: GCProfiler | undefined

/** What the collections of the young generation have moved into the old one. */
function promoted(): number {
  const collections = profiler?.stop()?.statistics ?? []
  profiler = new GCProfiler()
  profiler.start()
  const oldBytes = ({ heapSpaceStatistics }: GCProfilerResult['statistics'][number]['afterGC']) =>
    heapSpaceStatistics.find(({ spaceName }) => spaceName === 'old_space')!.spaceUsedSize
  const scavenges = collections.filter(({ gcType }) => gcType === 'Scavenge')
  return scavenges.reduce((sum, { beforeGC, afterGC }) => sum + oldBytes(afterGC) - oldBytes(beforeGC), 0)
}

const ANSWERS: Readonly<Record<Question, () => unknown>> = { count, open: openOnes, promoted }
process.on('message', async (question: Question) => {
  process.send!(await ANSWERS[question]())
})
process.on('disconnect', () => process.exit())
process.send!(await gateway.start())
