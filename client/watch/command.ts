import type { CommandResult } from '../cli/command.js'
import type { Values } from '../cli/description.js'
import { isColoured, isUtf8 } from '../cli/style.js'
import { dieOf, SIGNALS } from '../screen/signals.js'
import type { description } from './description.js'
import { type Display, JsonDisplay, LiveDisplay, PlainDisplay, quietly } from './display.js'
import { type Options, readOptions } from './options.js'
import { type Outcome, timedOut } from './outcome.js'
import { Watch } from './watch.js'

const SILENCE_MS = 45_000
/** A window that has another width now is drawn anew within this time. */
const TICK_MS = 1000

/** `pipegate watch`: shows a transfer until it ends. docs/watch.md has the exit codes. @throws WrongUsage */
export async function run(values: Values<typeof description>): Promise<CommandResult> {
  return { text: '', exitCode: await watch(readOptions(values, process.env)) }
}

async function watch({ address, headers, tls, timeoutMs, last, json, quiet }: Options): Promise<number> {
  const stop = new AbortController()
  const full = json ? new JsonDisplay(process.stdout) : textDisplay()
  const display = quiet ? quietly(full) : full
  const client = { address, headers, tls, silenceMs: SILENCE_MS, signal: stop.signal }
  const watch = new Watch({ client, display, last })
  const ticks = setInterval(() => watch.tick(), TICK_MS)
  const timeout = withResolver<Outcome>()
  if (timeoutMs !== undefined) setTimeout(() => timeout.resolve(timedOut(timeoutMs)), timeoutMs)
  const interrupt = withResolver<NodeJS.Signals>()
  for (const signal of SIGNALS) process.once(signal, interrupt.resolve)

  watch.tick()
  const end = await Promise.race([watch.run(), timeout.promise, interrupt.promise])
  clearInterval(ticks)
  stop.abort()
  if (typeof end !== 'string') {
    display.end(end)
    return end.exitCode
  }
  display.leave()
  return dieOf(end)
}

function textDisplay(): Display {
  const { stdout, stderr, env } = process
  const unicode = isUtf8(env)
  if (!stdout.isTTY || env.TERM === 'dumb') return new PlainDisplay(stdout, stderr, unicode, () => performance.now())
  return new LiveDisplay(stdout, stderr, { unicode, colour: isColoured(stdout) })
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
