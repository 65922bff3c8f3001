/** What is kept, what is lost, and what is told, on real pipes and files. The bounds are small, so that they are reached. */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fileTarget, type LineTarget } from '../../../gateway/log/line-target.js'
import { LineWriter } from '../../../gateway/log/line-writer.js'
import { lostLines } from '../../../gateway/log/lost-lines.js'
import { eventually } from '../../support/eventually.js'

const MAX = 100_000
const FLUSH = { ms: 10_000, silentMs: 10_000 }

function newFifo(t: Test): string {
  const fifo = join(t.testdir({}), 'fifo')
  execFileSync('mkfifo', [fifo])
  return fifo
}

function newWriter(t: Test, target: LineTarget): LineWriter {
  const writer = new LineWriter(t.name, target, ({ lines, failure }) => `lost ${lines} ${failure?.code}\n`, MAX)
  t.teardown(() => writer.close())
  return writer
}

/** A reader that waits for nothing: a test that finds nothing to read must fail, and not hang. */
function openReader(t: Test, fifo: string): number {
  const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(reader))
  return reader
}

/** What there is now. */
function read(fd: number): string {
  const into = Buffer.alloc(1_000_000)
  try {
    return into.toString('latin1', 0, readSync(fd, into))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return ''
    throw error
  }
}

t.test(
  'a pipe that is full, and is read again: the kept lines, the gap in its place, and what comes after',
  async (t) => {
    const fifo = newFifo(t)
    const reader = openReader(t, fifo)
    const writer = newWriter(t, fileTarget(fifo))
    const line = (i: number) => `${i} ${'x'.repeat(100)}\n`
    for (let i = 0; i < 5000; i++) {
      writer.write(line(i))
      if (i % 100 === 0) await new Promise(setImmediate)
    }
    t.ok(writer.keptBytes <= MAX && writer.keptBytes > MAX - 200, `${writer.keptBytes} bytes are kept`)
    t.equal(lostLines().get(t.name), writer.lost)
    t.ok(writer.lost > 3000, `${writer.lost} lines are lost`)
    let got = ''
    await eventually(() => {
      got += read(reader)
      return got.includes('lost ') || 'the gap is not told'
    })
    for (let i = 5000; i < 5100; i++) writer.write(line(i))
    const flushed = writer.flush(FLUSH)
    await eventually(() => {
      got += read(reader)
      return got.includes(line(5099)) || 'the last line is missing'
    })
    t.equal(await flushed, true)
    const kept = 5000 - writer.lost
    const before = Array.from({ length: kept }, (_, i) => line(i)).join('')
    const after = Array.from({ length: 100 }, (_, i) => line(5000 + i)).join('')
    t.ok(got === `${before}lost ${writer.lost} undefined\n${after}`, 'in this order, and nothing else')
  },
)

t.test('a reader that is gone, and another one that comes: what was kept is for the second', async (t) => {
  const fifo = newFifo(t)
  const first = openSync(fifo, 'r+')
  const writer = newWriter(t, fileTarget(fifo))
  writer.write('first\n')
  t.equal(await writer.flush(FLUSH), true)
  t.equal(read(first), 'first\n')
  closeSync(first)
  writer.write('second\n')
  await eventually(() => writer.failure?.code === 'EPIPE' || 'it does not notice')
  t.equal(await writer.flush(FLUSH), false, 'it says so, and does not wait')
  const second = openReader(t, fifo)
  await eventually(() => writer.keptBytes === 0 || 'it is not tried again')
  t.equal(read(second), 'second\n')
  t.equal(writer.failure, undefined)
  t.equal(writer.lost, 0)
})

t.test('a line that is larger than all that may be kept is lost, and those after it are not', async (t) => {
  const file = join(t.testdir({}), 'log')
  const writer = newWriter(t, fileTarget(file))
  writer.write(`${'x'.repeat(MAX)}\n`)
  t.equal(await writer.flush(FLUSH), true)
  writer.write('small\n')
  t.equal(await writer.flush(FLUSH), true)
  t.equal(readFileSync(file, 'utf8'), 'lost 1 undefined\nsmall\n')
})

t.test('a full disk is told as the cause', async (t) => {
  const writer = newWriter(t, fileTarget('/dev/full'))
  writer.write('kept\n')
  await eventually(() => writer.failure?.code === 'ENOSPC' || 'it does not notice')
  for (let i = 0; i < 2000; i++) writer.write(`${'x'.repeat(99)}\n`)
  t.equal(await writer.flush(FLUSH), false)
  const file = join(t.testdir({}), 'log')
  writer.moveTo(fileTarget(file))
  t.equal(await writer.flush(FLUSH), true)
  const lines = readFileSync(file, 'latin1').split('\n')
  t.equal(lines[0], 'kept')
  t.equal(lines.at(-2), `lost ${writer.lost} ENOSPC`)
})

t.test('a line that is torn by a move is lost, and whole ones go to the new place', async (t) => {
  const fifo = newFifo(t)
  openReader(t, fifo)
  const writer = newWriter(t, fileTarget(fifo))
  // Longer than what a pipe holds: its first part is written.
  writer.write(`${'x'.repeat(90_000)}\n`)
  writer.write('whole\n')
  await eventually(() => writer.keptBytes < 90_000 || 'nothing is written')
  const file = join(t.testdir({ kept: '' }), 'log')
  writer.moveTo(fileTarget(file))
  t.equal(await writer.flush(FLUSH), true)
  t.equal(readFileSync(file, 'utf8'), 'whole\n')
  t.equal(writer.lost, 1)
})

t.test('a writer that is closed in the middle of a write goes no further', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file')
  const target = fileTarget(file)
  const writer = newWriter(t, target)
  // More than one piece, of which a thread writes the first.
  for (let i = 0; i < 90; i++) writer.write(`${'x'.repeat(999)}\n`)
  await new Promise(setImmediate)
  writer.close()
  await eventually(() => {
    try {
      fstatSync(target.fd)
      return 'it is still open'
    } catch {
      return true
    }
  })
  // Whatever a thread would do next is done before this.
  for (let i = 0; i < 10; i++) await stat(file)
  t.equal(writer.failure, undefined, "the number, which is anybody's now, is not written to")
  t.ok(readFileSync(file).length > 0 && readFileSync(file).length < 90_000, `${readFileSync(file).length} bytes`)
})

t.test('the end of the process waits for nothing, and writes what can be written', async (t) => {
  const fifo = newFifo(t)
  const reader = openReader(t, fifo)
  const writer = newWriter(t, fileTarget(fifo))
  for (let i = 0; i < 900; i++) writer.write(`${'x'.repeat(99)}\n`)
  const from = performance.now()
  writer.flushNow()
  t.ok(performance.now() - from < 10_000)
  t.ok(read(reader).length > 60_000, 'what the pipe holds')
})
