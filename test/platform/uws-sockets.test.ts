/** The native read cap: what uSockets does without it, and that it does not with it. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { connect } from '../support/raw.js'

const MIB = 1024 * 1024

interface Report {
  readonly cap: unknown
  readonly afterPause: number
  readonly largest: number
}

/** Pours up to 64 MiB into a program that pauses the sender at once, and returns what the program saw. */
async function pour(t: Test, ...args: string[]): Promise<Report> {
  const program = spawn(process.execPath, [fileURLToPath(new URL('./read-loop.js', import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => program.kill())
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  const sender = await connect({ port })
  await sender.send(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 * MIB}\r\n\r\n`)
  const pouring = sender.send(Buffer.alloc(64 * MIB))
  const report = JSON.parse((await lines.next()).value)
  sender.destroy()
  await pouring
  return report
}

t.test('without the cap, a fast sender goes on delivering after pause()', async (t) => {
  const { afterPause, largest } = await pour(t)
  t.equal(largest, 512 * 1024, 'reads fill the buffer')
  t.ok(afterPause >= 5, `${afterPause} chunks came after the pause`)
})

t.test('the prebuilt helpers were built from the sources beside them', async (t) => {
  const folder = new URL('../../../gateway/native/', import.meta.url)
  const hash = createHash('sha256')
  const inFolder = (name: string, end: string) =>
    readdirSync(new URL(name, folder))
      .filter((file) => file.endsWith(end))
      .sort()
      .map((file) => `${name}${file}`)
  const inOrder = ['http/', 'sockets/'].flatMap((name) => [...inFolder(name, '.c'), ...inFolder(name, '.h')])
  for (const file of ['face.c', ...inOrder, 'build.sh']) hash.update(readFileSync(new URL(file, folder)))
  const sources = hash.digest('hex')
  for (const arch of ['x64', 'arm64']) {
    const binary = readFileSync(new URL(`prebuilt/sockets-linux-${arch}.node`, folder))
    t.ok(binary.includes(sources), `${arch}: run gateway/native/build.sh`)
  }
})

t.test('with the cap, nothing comes after pause()', async (t) => {
  const { cap, afterPause, largest } = await pour(t, 'cap')
  t.equal(cap, 'active')
  t.equal(largest, 64 * 1024, 'a read brings at most that')
  t.equal(afterPause, 0)
})
