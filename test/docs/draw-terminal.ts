/**
 * Draws docs/images/send.svg: `pipegate send` in the middle of a transfer, as it really was on a pseudo-terminal. A gateway runs here;
 * it stands in for http://pipe.example.org, which the command reaches by it as a proxy.
 */
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Terminal } from '../gateway/serve/terminal.js'
import { curl } from '../support/curl.js'
import { startProgram } from '../support/program.js'
import { PROJECT } from '../support/project.js'
import { pictureOf, screenOf } from './screen-picture.js'

const COLUMNS = 92
const FILES = 312
const FILE_BYTES = 4_100_000
/** Of the receiver, as curl says it: slow enough for a picture. */
const RATE = '90M'

const undo: (() => unknown)[] = []
const t = { teardown: (run: () => unknown) => void undo.unshift(run) }
try {
  await draw()
} finally {
  for (const run of undo) await run()
}

async function draw(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'pipegate-picture-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'photos'))
  for (let i = 0; i < FILES; i++) sparse(join(home, 'photos', `${i}.jpg`), FILE_BYTES)

  const gateway = await startProgram(t, ['--hosts', 'pipe.example.org'])
  const { origin } = new URL(gateway.base)
  const env = {
    PIPEGATE_URL: 'http://pipe.example.org',
    HTTP_PROXY: origin,
    XDG_CONFIG_HOME: home,
    NO_PROXY: '',
    no_proxy: '',
  }
  const terminal = new Terminal(t, ['send', 'photos'], { columns: COLUMNS, cwd: home, env })
  await terminal.waitFor(/waiting/, 60_000)
  const [, path = ''] = /http:\/\/pipe\.example\.org(\/\S+)\?receive/.exec(terminal.shown)!
  curl(['-f', '-o', '/dev/null', '--limit-rate', RATE, origin + path])
  await terminal.waitFor(/ 4\d %/, 120_000)
  const rows = screenOf(`$ pipegate send photos\n${terminal.shown}`)
  const title = 'pipegate send shows the command for the receiver, a link, its QR code, and how far it is'
  writeFileSync(join(PROJECT, 'docs/images/send.svg'), pictureOf(rows, COLUMNS, title))
}

function sparse(file: string, bytes: number): void {
  const opened = openSync(file, 'w')
  ftruncateSync(opened, bytes)
  closeSync(opened)
}
