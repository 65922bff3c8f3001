/** The gateway as it is built and shipped, as a process of its own that faults can be planted in from outside. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, createReadStream, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { Exposition } from '../support/exposition.js'
import { freePort } from '../support/free-port.js'
import { MAIN, ownEnvironment, PROJECT } from '../support/program.js'
import type { Teardown } from '../support/teardown.js'
import { LogCheck } from './log-check.js'

/** As Debian installs it. The one for several threads: Node has some. */
const FAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`
const TICKS_PER_SECOND = 100
const ANSWER_MS = 30_000

export interface ProcessOptions {
  readonly name: string
  /** A folder of its own. */
  readonly folder: string
  readonly config: Readonly<Record<string, unknown>>
  /** Where its log goes: a file, or a pipe that this process reads. */
  readonly log: 'file' | 'pipe'
}

export class GatewayProcess {
  readonly log: LogCheck
  stderr = ''
  readonly #clockFile: string

  private constructor(
    readonly child: ChildProcess,
    readonly port: number,
    readonly options: ProcessOptions,
    readonly logFile: string | undefined,
    clockFile: string,
  ) {
    this.#clockFile = clockFile
    this.log = new LogCheck(Number(options.config.threads ?? 1))
  }

  static async start(t: Teardown, options: ProcessOptions): Promise<GatewayProcess> {
    const { folder, config, log } = options
    const port = await freePort()
    const configFile = join(folder, 'pipegate.yaml')
    const clockFile = join(folder, 'clock')
    writeFileSync(configFile, JSON.stringify({ port, ...config }))
    writeFileSync(clockFile, '+0')
    const logFile = log === 'file' ? join(folder, 'log') : undefined
    const stdout = logFile === undefined ? ('pipe' as const) : openSync(logFile, 'a')
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', configFile], {
      cwd: PROJECT,
      env: { ...ownEnvironment(), ...clockVariables(clockFile) },
      stdio: ['ignore', stdout, 'pipe'],
    })
    if (typeof stdout === 'number') closeSync(stdout)
    const kill = () => child.kill('SIGKILL')
    // When something hangs no teardown is run.
    process.once('exit', kill)
    t.teardown(() => {
      process.off('exit', kill)
      kill()
    })
    const gateway = new GatewayProcess(child, port, options, logFile, clockFile)
    child.stderr!.on('data', (text) => (gateway.stderr += text))
    if (logFile === undefined) child.stdout!.on('data', (bytes: Buffer) => gateway.log.push(bytes))
    await eventually(() => gateway.answers(), { timeoutMs: 60_000, everyMs: 50 })
    return gateway
  }

  get pid(): number {
    return this.child.pid!
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get scheme(): string {
    return this.options.config.tlsCert === undefined ? 'http' : 'https'
  }

  /** Standard output, when it is a pipe. */
  get output(): Readable | undefined {
    return this.child.stdout ?? undefined
  }

  async answers(): Promise<true | string> {
    if (!this.isRunning) throw new Error(`the gateway ${this.options.name} ended: ${this.stderr}`)
    return (await this.get('health')) !== undefined || `${this.options.name} does not answer`
  }

  /** The answer of one of the gateway's own names, by curl; undefined when there is none. @param args more for curl */
  async get(name: string, args: readonly string[] = []): Promise<string | undefined> {
    const seconds = String(ANSWER_MS / 1000)
    const url = `${this.scheme}://127.0.0.1:${this.port}/api/v1/pipe/${name}`
    const { code, stdout } = await curlDone(['-kgf', '-m', seconds, ...args, url])
    return code === 0 ? stdout.toString() : undefined
  }

  async metrics(): Promise<Exposition> {
    const text = await this.get('metrics')
    if (text === undefined) throw new Error(`${this.options.name} gives no metrics`)
    return new Exposition(text)
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Its present limit of open files. */
  get mostDescriptors(): number {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/limits`, 'latin1'))![1])
  }

  get residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))![1]) * 1024
  }

  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  /** Seconds by which its clock is wrong from now on. */
  setClock(seconds: number): void {
    writeFileSync(this.#clockFile, seconds < 0 ? `${seconds}` : `+${seconds}`)
  }

  /** Seconds by which its clock is wrong, as its answers say; undefined when it does not answer. */
  async clockError(): Promise<number | undefined> {
    const date = /^Date: (.*)$/im.exec((await this.get('health', ['-i'])) ?? '')?.[1]
    return date === undefined ? undefined : Math.round((Date.parse(date) - Date.now()) / 1000)
  }

  /** `--fsize=…`, `--nofile=…`: the limit that holds for it from now on. */
  limit(text: string): void {
    execFileSync('prlimit', ['--pid', `${this.pid}`, text])
  }

  get logBytes(): number {
    return this.logFile === undefined ? 0 : statSync(this.logFile).size
  }

  /** Ends it by SIGTERM. Resolves with the exit code, or the signal that ended it, when its log has been read too. */
  async stop(): Promise<number | string | null> {
    const closed = new Promise((resolve) => this.child.once('close', resolve))
    this.child.kill('SIGTERM')
    await Promise.race([
      closed,
      eventually(() => !this.isRunning || `${this.options.name} does not stop`, { timeoutMs: 40_000 }),
    ])
    if (this.logFile !== undefined)
      for await (const bytes of createReadStream(this.logFile)) this.log.push(bytes as Buffer)
    else await closed
    return this.child.exitCode ?? this.child.signalCode
  }
}

/** What makes its wall clock wrong by as much as a file says. What the event loop waits by is not touched, as with a real clock. */
function clockVariables(file: string): Record<string, string> {
  return {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}
