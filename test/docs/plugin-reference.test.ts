/** The reference in docs/plugins.md: every member as it is declared, and every example compiled, loaded and run. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { WebSocket } from 'ws'
import type { LoadedPlugin } from '../../gateway/host/loading/loaded-plugin.js'
import * as api from '../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { startGateway } from '../support/gateway.js'
import { readProject } from '../support/project.js'

interface Row {
  readonly signature: string
  readonly example: string | undefined
}

/** The tables of the reference, by what their rows are members of. */
function tables(): ReadonlyMap<string, readonly Row[]> {
  const page = readProject('docs/plugins.md')
  const [, reference = ''] = /^## Reference\n([\s\S]*?)^## /m.exec(page) ?? []
  const found = new Map<string, Row[]>()
  let heading = ''
  let rows: Row[] = []
  for (const line of reference.split('\n')) {
    heading = /^### `(\w+)`/.exec(line)?.[1] ?? heading
    const of = /^\| (?:Member(?: of `(\w+)`)?|(Export)) \|/.exec(line)
    if (of !== null) {
      rows = []
      found.set(of[1] ?? of[2] ?? heading, rows)
    } else if (line.startsWith('| `')) {
      const [signature = '', , example] = cells(line)
      rows.push({ signature, example })
    }
  }
  return found
}

/** What stands in the cells of a row, without its backticks. */
function cells(line: string): string[] {
  const parts = line.slice(1, -1).split(/(?<!\\)\|/)
  return parts.map((part) =>
    part
      .trim()
      .replace(/^(`+) ?([\s\S]*?) ?\1$/, '$2')
      .replaceAll('\\|', '|'),
  )
}

/** Members of an interface as they are declared, without comments and `readonly`. */
function declared(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, readProject(file), ts.ScriptTarget.ES2022)
  const found = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === name)
  if (found === undefined || !ts.isInterfaceDeclaration(found)) throw new Error(`${file} has no interface ${name}`)
  return found.members.map((each) =>
    each
      .getText(source)
      .replace(/\s+/g, ' ')
      .replace(/^readonly /, ''),
  )
}

const TABLES = tables()
const API = 'gateway/host/plugin-api.ts'
const TYPES = 'gateway/host/api'
/** What is used, and where it is declared: each member has an example. */
const PARTS: Readonly<Record<string, string>> = {
  Plugin: `${TYPES}/plugin.ts`,
  Parts: `${TYPES}/plugin.ts`,
  Host: `${TYPES}/host.ts`,
  Hooks: `${TYPES}/hooks.ts`,
  Context: `${TYPES}/context.ts`,
  Join: `${TYPES}/context.ts`,
  Slot: `${TYPES}/context.ts`,
  RequestView: 'gateway/http/request-view.ts',
  Route: `${TYPES}/handlers.ts`,
  Mode: `${TYPES}/handlers.ts`,
  Claim: `${TYPES}/handlers.ts`,
  Body: `${TYPES}/reply.ts`,
  Reply: `${TYPES}/reply.ts`,
  Pipes: `${TYPES}/host.ts`,
  GatewayView: `${TYPES}/host.ts`,
  Log: `${TYPES}/host.ts`,
}

/** What is only looked at, and where it is declared. */
const DATA = {
  Identity: `${TYPES}/context.ts`,
  ClientCertificate: 'gateway/http/client-certificate.ts',
  AlternativeName: 'gateway/http/client-certificate.ts',
  Token: `${TYPES}/host.ts`,
  WebSocketOffer: `${TYPES}/websocket.ts`,
  WebSocketPeer: `${TYPES}/websocket.ts`,
  WebSocketLink: `${TYPES}/websocket.ts`,
  RequestCopy: `${TYPES}/hooks.ts`,
  PipeView: 'core/pipe-view.ts',
  RequestRecord: 'gateway/http/request-record.ts',
}

t.test('every member is there, with its signature', async (t) => {
  for (const [name, file] of Object.entries({ ...PARTS, ...DATA })) {
    const signatures = (TABLES.get(name) ?? []).map(({ signature }) => signature)
    t.same(signatures, declared(file, name), `the table of ${name}`)
  }
  for (const name of Object.keys(PARTS)) {
    for (const { signature, example } of TABLES.get(name) ?? []) t.ok(example, `${name}: an example of ${signature}`)
  }
  const exports_ = TABLES.get('Export') ?? []
  t.same(exports_.map(({ signature }) => signature).sort(), Object.keys(api).sort())
})

const examples = (name: string) => (TABLES.get(name) ?? []).map(({ example = '' }) => example)
const members = (name: string) => examples(name).join(',\n')
/** Statements, each in a function of its own. */
const statements = (...names: string[]) =>
  names
    .flatMap(examples)
    .map((example) => `;(() => { ${example} })()`)
    .join('\n')

/** One plugin for each part of the reference. */
const PROGRAM = `
import { ${Object.keys(api).join(', ')} } from 'pipegate/plugin'
const common = {
  api: PLUGIN_API,
  config: z.strictObject({ to: z.int().default(6) }),
  failures: { closed: { status: 403, message: 'Closed until {to}:00.', hint: 'Come back then.' } },
} as const
export const whole = definePlugin({ ${members('Plugin')} })
export const parts = definePlugin({ ...common, name: 'parts', setup: (host) => ({ ${members('Parts')} }) })
export const host = definePlugin({ ...common, name: 'host', setup: (host) => ({ start() { ${statements('Host')} } }) })
export const hooks = definePlugin({ ...common, name: 'hooks', setup: (host) => ({ hooks: { ${members('Hooks')} } }) })
export const requests = definePlugin({ ...common, name: 'requests', setup: (host) => ({ hooks: {
  onRequest(request, context) { ${statements('Context', 'Slot', 'RequestView', 'Pipes', 'GatewayView', 'Log')} },
  onAdmit(request, join) { ${statements('Join')} },
} }) })
export const own = definePlugin({ ...common, name: 'own', setup: (host) => ({
  routes: [{ ${members('Route')} }],
  modes: [{ ${members('Mode')} }],
  claims: [{ ${members('Claim')} }],
}) })
export const replies = definePlugin({ ...common, name: 'replies', setup: (host) => ({ routes: [
  ${examples('Reply')
    .map(
      (example, i) => `{ method: 'GET', path: '/reply-${i}', handle(request, reply) {
        const answer = () => { ${example} }
        answer()
        if (!reply.isOver) reply.cut()
      } },`,
    )
    .join('\n')}
] }) })
export const bodies = definePlugin({ ...common, name: 'bodies', setup: (host) => ({ claims: [
  ${examples('Body')
    .map(
      (example, i) => `{ claims: (request) => request.path === '/body-${i}', handle(request, body, reply) {
        const answer = () => { ${example} }
        answer()
        if (!reply.isOver) reply.cut()
      } },`,
    )
    .join('\n')}
] }) })
export const exported: unknown[] = [${examples('Export').join(',\n')}]
`

/** Compiles with the types that the package has. Returns what the compiler complains about. */
function compile(dir: string): string[] {
  const file = join(dir, 'reference.mts')
  writeFileSync(file, PROGRAM)
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    types: [],
  })
  const { diagnostics } = program.emit()
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(({ messageText, start = 0 }) => {
    return `${ts.flattenDiagnosticMessageText(messageText, ' ')} at: ${PROGRAM.slice(start, start + 80)}`
  })
}

t.test('everything that the module exports is named', async (t) => {
  const page = readProject('docs/plugins.md')
  const source = readProject(API)
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) => list.split(','))
  const own = [...source.matchAll(/^export (?:interface|type|const|function) (\w+)/gm)].map(([, name = '']) => name)
  const names = [...own, ...lists].map((each) => each.replace('type ', '').trim()).filter((each) => each !== '')
  t.ok(names.length > 30)
  for (const name of names) t.match(page, new RegExp(`\`${name}\``), name)
})

t.test('every example compiles and runs', async (t) => {
  const dir = t.testdir()
  t.same(compile(dir), [])
  const { whole, exported, ...plugins } = (await import(pathToFileURL(join(dir, 'reference.mjs')).href)) as {
    whole: LoadedPlugin['plugin']
    exported: unknown[]
  } & Record<string, LoadedPlugin['plugin']>
  for (const [i, value] of exported.entries()) t.not(value, false, examples('Export')[i]!)

  const closed = await startGateway(t, {}, { plugins: [{ plugin: whole }] })
  const refused = await curlDone(['-D', '-', closed.url('jobs')])
  t.match(refused.stdout.toString(), /X-Pipe-Code: NIGHT_GATE_CLOSED[\s\S]*Closed until 6:00. Come back then./)

  const loaded = Object.values(plugins).map((plugin) => ({ plugin }))
  const gw = await startGateway(t, {}, { plugins: loaded })
  const said = async (name: string) => (await curlDone([gw.url(name)])).stdout.toString()
  t.equal(await said('ping'), 'pong\n')
  t.equal(await said('jobs?state'), 'idle')
  t.equal(await said('guests'), '[]\n')
  t.equal(await said('jobs?guests'), '{"name":"jobs"}\n')
  t.match(await said('secret'), 'Closed until')
  t.equal((await curlDone(['-d', 'heard', `${gw.origin}/echo/x`])).stdout.toString(), 'heard')
  const socket = new WebSocket(`${gw.origin.replace('http', 'ws')}/echo/x`)
  socket.once('open', () => socket.send('heard'))
  const [said_] = await once(socket, 'message')
  t.equal(String(said_), 'heard')
  socket.terminate()
  t.equal((await curlDone([`${gw.origin}/shop/x`])).stdout.toString(), 'open\n')
  for (const i of examples('Body').keys()) await curlDone(['-d', 'some', `${gw.origin}/body-${i}`])
  for (const i of examples('Reply').keys()) await said(`reply-${i}`)

  const leaver = curl([gw.url('left?n=2')])
  await gw.holds(1, 0)
  leaver.kill()
  await gw.holds(0, 0)
  const sender = curl(['-N', '-T', '-', gw.url('jobs')])
  const receiver = curl([gw.url('jobs')])
  await gw.holds(0, 1)
  sender.stdin.write('x'.repeat(100_000))
  const told = (msg: string) => eventually(() => gw.lines.some((line) => line.msg === msg) || `nobody said "${msg}"`)
  for (const msg of ['somebody waits', 'sender', 'receiver', 'it flows', 'still flowing', 'it left']) await told(msg)
  sender.stdin.end()
  t.equal((await receiver.result).stdout.length, 100_000)
  for (const msg of ['over', 'refused', 'answered']) await told(msg)
  t.same(
    gw.lines.filter(({ msg }) => /a plugin failed|defect/.test(msg)),
    [],
    'no example fails where it is used',
  )
})
