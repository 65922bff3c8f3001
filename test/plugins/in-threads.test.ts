/** The bundled plugins where several threads have an instance of each: what they count, and what they say, is the process's. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { threadHelper } from '../../gateway/native/threads.js'
import { metrics, namesOf, PREFIX, startThreads } from '../gateway/serve/threads/rig.js'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { type IssuerKey, makeKey, sign, startIssuer } from '../support/issuer.js'
import { listenOnLoopback } from '../support/loopback.js'
import type { Program } from '../support/program.js'

t.jobs = 3

const THREADS = 3
/** So many names, each thread's in turn. */
const names = (count: number, before: string) => {
  const each = Array.from({ length: THREADS }, (_, number) =>
    namesOf(number, THREADS, Math.ceil(count / THREADS), before),
  )
  return Array.from({ length: count }, (_, i) => each[i % THREADS]![Math.floor(i / THREADS)]!)
}

async function start(t: Test, plugins: string, files: Record<string, string> = {}, flags: readonly string[] = []) {
  const folder = t.testdir({ ...files, 'pipegate.yaml': `plugins:\n${plugins}` })
  const program = await startThreads(t, THREADS, ['--config', join(folder, 'pipegate.yaml'), ...flags])
  return { folder, program }
}

async function status(...args: readonly string[]): Promise<string> {
  return (await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args])).stdout.toString()
}

async function transfer(
  program: Program,
  name: string,
  body: string | Buffer = 'body',
  ...args: readonly string[]
): Promise<void> {
  const receiver = curl([...args, program.url(name)])
  const sender = await curlDone([...args, '-T', '-', program.url(name)], { input: body })
  const got = (await receiver.result).stdout
  if (!got.equals(Buffer.from(body))) throw new Error(`${name}: ${got} ${sender.stdout}`)
}

t.test('limits: requests, transfers and what runs at once are counted together', async (t) => {
  const address = (limit: string) => `  - plugin: limits\n    config: { address: { ${limit} } }\n`
  const requests = await start(t, address('requests: { points: 12, seconds: 600 }'))
  const found: string[] = []
  for (const name of names(20, 'r')) found.push(await status(`${requests.program.url(name)}?status`))
  t.same(found, [...Array(12).fill('200'), ...Array(8).fill('429')])

  const pipes = await start(t, address('pipes: 5'))
  const all = names(6, 'p')
  const waiting = all.slice(0, 5).map((name) => curl(['-N', pipes.program.url(name)]))
  await eventually(
    async () => (await metrics(pipes.program)).value('pipegate_pipes', { state: 'waiting' }) === 5 || 'not all',
  )
  t.equal(await status(pipes.program.url(all[5]!)), '429')
  waiting[0]!.kill()
  // Its place is free again, whoever has the name.
  const last = curl(['-N', pipes.program.url(all[5]!)])
  await eventually(async () => (await status(`${pipes.program.url(all[5]!)}?status`)) === '200' || 'no')
  await eventually(
    async () => (await metrics(pipes.program)).value('pipegate_pipes', { state: 'waiting' }) === 5 || 'not again',
  )
  for (const each of [...waiting, last]) each.kill()
})

t.test('limits: a speed is shared by transfers in all threads', async (t) => {
  const speed = 2_000_000
  const { program } = await start(t, `  - plugin: limits\n    config: { address: { bytesPerSecond: ${speed} } }\n`)
  const body = Buffer.alloc(1_500_000, 'x')
  const from = performance.now()
  await Promise.all(names(3, 's').map((name) => transfer(program, name, body)))
  const seconds = (performance.now() - from) / 1000
  // Both sides of each have the limit, and share it.
  const least = (3 * body.length) / speed - 0.5
  t.ok(seconds >= least, `${seconds} s, ${least} at least`)
})

t.test('limits: a thread that dies leaves no places behind', async (t) => {
  const own = `import { definePlugin, z } from 'pipegate/plugin'
export default definePlugin({ name: 'own', api: 1, scope: 'thread', config: z.strictObject({}), setup: () => ({ hooks: {
  onRequest(request) { if (request.path.endsWith('-break')) setTimeout(() => { throw new Error('broken on purpose') }) },
} }) })
`
  const { program } = await start(t, '  - ./own.mjs\n  - plugin: limits\n    config: { address: { pipes: 3 } }\n', {
    'own.mjs': own,
  })
  const waiting = namesOf(0, THREADS, 3, 'd').map((name) => curl(['-N', program.url(name)]))
  await eventually(
    async () => (await metrics(program)).value('pipegate_pipes', { state: 'waiting' }) === 3 || 'not all',
  )
  t.equal(await status(program.url(names(4, 'e')[1]!)), '429')
  threadHelper().spreadNames(PREFIX, THREADS)
  let i = 0
  while (threadHelper().ownerOf(`/k${i}-break`) !== 0) i++
  await curlDone(['-m', '5', program.url(`k${i}-break`)])
  for (const each of waiting) await each.result
  await program.waitForLog('a thread has been started again')
  const again = curl(['-N', program.url(names(4, 'e')[1]!)])
  await eventually(async () => (await metrics(program)).value('pipegate_pipes', { state: 'waiting' }) === 1 || 'not in')
  again.kill()
})

t.test('access-log: whole lines of all threads, and one pseudonym for one address', async (t) => {
  const { program, folder } = await start(
    t,
    '  - plugin: access-log\n    config: { output: { file: access.log }, addresses: hashed, names: hashed }\n',
  )
  const all = names(30, 'a')
  await Promise.all(all.map((name) => transfer(program, name)))
  await program.endsAfter('SIGTERM')
  const lines = readFileSync(join(folder, 'access.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  t.equal(lines.filter(({ msg }) => msg === 'transfer').length, 30)
  const requests = lines.filter(({ msg }) => msg === 'request')
  t.equal(requests.length, 60)
  t.equal(new Set(requests.map(({ remoteAddress, address, client }) => remoteAddress ?? address ?? client)).size, 1)
})

t.test('auth-bearer: tokens that change are read again by all', async (t) => {
  const tokens = (token: string) => `- { name: one, project: p, token: ${token} }\n`
  const [before, after] = ['a'.repeat(24), 'b'.repeat(24)]
  const { program, folder } = await start(t, '  - plugin: auth-bearer\n    config: { file: tokens.yaml }\n', {
    'tokens.yaml': tokens(before),
  })
  const all = names(6, 't')
  for (const name of all) t.equal(await status(program.url(name)), '401')
  for (const name of all) await transfer(program, name, 'body', '-H', `Authorization: Bearer ${before}`)
  writeFileSync(join(folder, 'new.yaml'), tokens(after))
  renameSync(join(folder, 'new.yaml'), join(folder, 'tokens.yaml'))
  for (const name of all) {
    const url = `${program.url(name)}?status`
    await eventually(async () => (await status('-H', `Authorization: Bearer ${after}`, url)) === '200' || 'not yet')
    t.equal(await status('-H', `Authorization: Bearer ${before}`, url), '401')
  }
})

t.test('auth-jwt: one thread asks the issuer, for all', async (t) => {
  const [known, next] = [await makeKey('ES256', 'known'), await makeKey('ES256', 'next')]
  const issuer = await startIssuer(t, known)
  const { program } = await start(
    t,
    `  - plugin: auth-jwt\n    config: { jwksUrl: '${issuer.url}', issuer: issuer, audience: pipes, jwksCooldown: 1 }\n`,
  )
  const all = names(9, 'j')
  const statuses = async (key: IssuerKey) => {
    const token = await sign(key)
    const each = (name: string) => status('-H', `Authorization: Bearer ${token}`, `${program.url(name)}?status`)
    return Promise.all(all.map(each))
  }
  t.same(await statuses(known), Array(9).fill('200'))
  t.equal(issuer.asked.length, 1, 'at the start, and never since')
  // A key that is new is fetched once, whoever hears of it first.
  issuer.keys = [known, next]
  await eventually(async () => (await statuses(next)).every((each) => each === '200') || 'not all')
  t.ok(issuer.asked.length <= 4, `${issuer.asked.length} times`)
  await issuer.down()
  t.same(await statuses(known), Array(9).fill('200'), 'what one has learnt all know')
  t.same(await statuses(next), Array(9).fill('200'))
})

t.test('reverse-proxy: requests of every thread are forwarded, and one that comes back is found out', async (t) => {
  const server = createServer((request, response) => response.end(`${request.method} ${request.url}`))
  t.teardown(() => void server.close())
  const port = await listenOnLoopback(server)
  const { program } = await start(
    t,
    `  - plugin: reverse-proxy\n    config: { routes: [{ prefix: /up/, upstreams: ['http://127.0.0.1:${port}'] }] }\n`,
  )
  for (const name of names(12, 'up/x')) {
    const { stdout } = await curlDone([`http://127.0.0.1:${program.port}/${name}`])
    t.equal(stdout.toString(), `GET /${name}`)
  }
  const loop = await start(
    t,
    "  - plugin: reverse-proxy\n    config: { routes: [{ prefix: /up/, upstreams: ['http://127.0.0.1:1'] }] }\n",
  )
  const { stdout } = await curlDone(['-i', '-H', 'CDN-Loop: other', `http://127.0.0.1:${loop.program.port}/up/x`])
  t.match(stdout.toString(), /50[23]/)
})

t.test('progress and links: what is about a name is where the name is', async (t) => {
  const { program } = await start(t, '  - plugin: progress\n    config: { names: 4 }\n')
  const all = names(5, 'w')
  const watching = all.slice(0, 4).map((name) => curl(['-N', `${program.url(name)}?progress`]))
  for (const each of watching) await each.waitFor('event: state')
  t.match(
    (await curlDone([`${program.url(all[4]!)}?progress`])).stdout.toString(),
    /\[ERROR\][\s\S]*4/,
    'names are counted together',
  )
  await transfer(program, all[0]!)
  await watching[0]!.waitFor('event: done')
  const last = JSON.parse((await curlDone([`${program.url(all[0]!)}?status`])).stdout.toString()) as {
    last: { transferId: string }
  }
  const receipt = await curlDone([`${program.url(all[0]!)}?status&transfer=${last.last.transferId}`])
  t.match(JSON.parse(receipt.stdout.toString()), { state: 'complete' })
  for (const each of watching) each.kill()
})
