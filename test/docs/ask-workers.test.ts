/** The workers in docs/messages.md, each in its own language: they answer, and take the next question. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { curlDone } from '../support/curl.js'
import { startDefaultGateway } from '../support/gateway.js'
import { readProject } from '../support/project.js'
import { examplesOf } from './examples.js'

const WORKERS: Record<string, { readonly file: string; readonly run: readonly [string, ...string[]] }> = {
  'ask-python': { file: 'worker.py', run: ['python3', 'worker.py'] },
  'ask-node': { file: 'worker.mjs', run: [process.execPath, 'worker.mjs'] },
  'ask-go': { file: 'worker.go', run: ['go', 'run', 'worker.go'] },
}

const examples = examplesOf(readProject('docs/messages.md'))

for (const [id, { file, run }] of Object.entries(WORKERS)) {
  t.test(id, async (t) => {
    const { origin } = await startDefaultGateway(t)
    const example = examples.find((each) => each.id === id)
    if (example === undefined) throw new Error(`docs/messages.md has no ${id}`)
    const dir = t.testdir()
    writeFileSync(join(dir, file), example.text.replaceAll('http://127.0.0.1:8080', origin))
    const [program, ...args] = run
    // `go run` starts another process, which ends with its group.
    const worker = spawn(program, args, { cwd: dir, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    worker.stderr.on('data', (text) => {
      errors += text
    })
    t.teardown(() => process.kill(-worker.pid!, 'SIGKILL'))
    for (let i = 0; i < 5; i++) {
      // Compilers take their time, and the worker comes when it can.
      const { stdout } = await curlDone(['-sS', '-d', `question ${i}`, `${origin}/loud?ask&wait=90`])
      t.equal(stdout.toString(), `QUESTION ${i}`, errors)
    }
    t.equal(worker.exitCode, null, `it goes on: ${errors}`)
  })
}
