import { createInterface } from 'node:readline/promises'
import { formatBytes, formatDuration, formatSpeed } from '../../plugins/transfer-status/format.js'
import type { CommandResult, Run } from '../cli/command.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import type { DecryptWith } from '../encryption/decrypting.js'
import { placeOf } from '../place.js'
import { safeText } from '../safe-text.js'
import { runShown } from '../screen/run.js'
import { type Ending, type Screen, screenOn } from '../screen/screen.js'
import { TransferView } from '../screen/transfer-view.js'
import { sealedBytes } from '../send/seal.js'
import type { description } from './description.js'
import type { Incoming } from './incoming.js'
import { type ReceiveOptions, receiveWhenSent } from './receiver.js'
import { type Taken, type TakeOptions, take } from './take.js'
import { type HereOptions, tellWhatIsHere } from './tell-what-is-here.js'
import { readCode, unsealWith } from './unseal.js'

/** `pipegate receive`. docs/send-receive.md tells more. */
export const run: Run<typeof description> = async (values): Promise<CommandResult> => {
  if (values.live && values.queue) throw new WrongUsage('--live and --queue are two different things')
  const { stdin, stdout, stderr, env } = process
  // What is received may go to standard output: all else goes to the other one.
  const { screen } = screenOn(stderr, values, env)
  const code = readCode(values.name)
  const secret = await unsealWith(code, values)
  const place = await placeOf(code.word, values, env)
  const waitMs = values.wait === undefined ? undefined : values.wait * 1000
  const view = new TransferView(place.name, false, null)
  const work = async (signal: AbortSignal): Promise<Ending> => {
    const receiving = async (): Promise<ReceiveOptions> => ({
      place,
      receivers: values.receivers,
      waitMs,
      kind: values.live ? 'live' : values.queue ? 'queue' : 'pipe',
      isVerified: !values.noVerify && !values.live,
      from: values.resume ? await tellWhatIsHere({ ...values, place, waitMs, signal, ...listOf(secret) }) : 0,
      signal,
      on: (news) => {
        view.lost(news)
        screen.show(view, true)
      },
    })
    const taking: TakeOptions = {
      ...values,
      ask: stdin.isTTY && stderr.isTTY ? (question) => ask(question, screen, signal) : undefined,
      stdout,
      signal,
      secret,
      onBytes: (bytes) => view.bytes(bytes),
      warn: (sentence) => screen.say([sentence], { event: 'warning', sentence }),
    }
    const incoming = await receiveWhenSent(await receiving())
    view.streaming(1, incoming.about ?? null)
    screen.show(view, true)
    const beganAt = performance.now()
    const taken = await take(incoming, taking)
    return success(incoming, taken, (performance.now() - beganAt) / 1000)
  }
  const exitCode = await runShown(screen, view, stdout, place.server, work)
  return { text: '', exitCode }
}

/** The list of what is here is encrypted like what it is about; to keys of others it cannot be. */
function listOf(secret: DecryptWith | undefined): Pick<HereOptions, 'encrypt'> {
  if (secret === undefined) return { encrypt: undefined }
  if ('identities' in secret) throw new WrongUsage('--resume does not go with --identity')
  return { encrypt: (bytes) => sealedBytes(bytes, secret) }
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

function ask(question: string, screen: Screen, signal: AbortSignal): Promise<boolean> {
  return screen.during(async () => {
    const line = createInterface({ input: process.stdin, output: process.stderr })
    // A terminal in raw mode hands on Ctrl-C as a letter.
    line.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    try {
      return /^y(es)?$/i.test((await line.question(`${safeText(question, true)} [y/N] `, { signal })).trim())
    } finally {
      line.close()
    }
  })
}
