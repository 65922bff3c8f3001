import { createInterface } from 'node:readline/promises'
import { formatBytes, formatDuration, formatSpeed } from '../../plugins/transfer-status/format.js'
import type { CommandResult, Run } from '../cli/command.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { placeOf } from '../place.js'
import { endingOf } from '../screen/ending.js'
import { runShown } from '../screen/run.js'
import { type Ending, type Screen, screenOn } from '../screen/screen.js'
import { TransferView } from '../screen/transfer-view.js'
import type { description } from './description.js'
import type { Incoming } from './incoming.js'
import { type ReceiveOptions, receiveWhenSent } from './receiver.js'
import { type Taken, type TakeOptions, take } from './take.js'

/** `pipegate receive`. docs/send-receive.md tells more. */
export const run: Run<typeof description> = async (values): Promise<CommandResult> => {
  if (values.live && values.queue) throw new WrongUsage('--live and --queue are two different things')
  const { stdin, stdout, stderr, env } = process
  // What is received may go to standard output: all else goes to the other one.
  const { screen } = screenOn(stderr, values, env)
  const place = placeOf(values.name, values, env)
  const view = new TransferView(place.name, false, null)
  const work = async (signal: AbortSignal): Promise<Ending> => {
    const receiving: ReceiveOptions = {
      place,
      receivers: values.receivers,
      waitMs: values.wait === undefined ? undefined : values.wait * 1000,
      kind: values.live ? 'live' : values.queue ? 'queue' : 'pipe',
      isVerified: !values.noVerify && !values.live,
      from: 0,
      signal,
      on: (news) => {
        view.lost(news)
        screen.show(view, true)
      },
    }
    const taking: TakeOptions = {
      ...values,
      ask: stdin.isTTY && stderr.isTTY ? (question) => ask(question, screen, signal) : undefined,
      stdout,
      onBytes: (bytes) => view.bytes(bytes),
      warn: (sentence) => screen.say([sentence], { event: 'warning', sentence }),
    }
    try {
      const incoming = await receiveWhenSent(receiving)
      view.streaming(1, incoming.about ?? null)
      screen.show(view, true)
      const beganAt = performance.now()
      const taken = await take(incoming, taking)
      return success(incoming, taken, (performance.now() - beganAt) / 1000)
    } catch (error) {
      if (signal.aborted) return { line: '', exitCode: 1, data: { state: 'interrupted' } }
      return endingOf(error, place.server)
    }
  }
  const exitCode = await runShown(screen, view, stdout, work)
  return { text: '', exitCode }
}

function success({ bytes, description }: Incoming, { where, files, sha256 }: Taken, seconds: number): Ending {
  const many = files > 1 ? `, ${files} files` : ''
  const speed = seconds >= 1 ? ` (${formatSpeed(bytes / seconds)})` : ''
  const parts = [
    `${formatBytes(description.kind === 'tar' ? (description.bytes ?? bytes) : bytes)}${many} in ${formatDuration(seconds)}${speed}`,
  ]
  if (sha256 !== undefined) parts.push('verified')
  const data = { state: 'complete', path: where ?? null, bytes, files, seconds, sha256: sha256 ?? null }
  return { line: `${where === undefined ? '' : `${where}  `}${parts.join(', ')}`, exitCode: 0, data }
}

async function ask(question: string, screen: Screen, signal: AbortSignal): Promise<boolean> {
  screen.leave()
  const line = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await line.question(`${question} [y/N] `, { signal })).trim())
  } finally {
    line.close()
  }
}
