import { newName } from '../../plugins/pages/name.js'
import { formatBytes, formatDuration, formatSpeed } from '../../plugins/transfer-status/format.js'
import type { FileSummary } from '../archive/entry.js'
import type { CommandResult, Run } from '../cli/command.js'
import type { Values } from '../cli/description.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { placeOf } from '../place.js'
import { unsealedBytes } from '../receive/unseal.js'
import { runShown } from '../screen/run.js'
import { type Screen, screenOn } from '../screen/screen.js'
import { TransferView } from '../screen/transfer-view.js'
import { askWhatIsThere, type HaveOptions } from './ask-what-is-there.js'
import type { description } from './description.js'
import { invitation } from './invitation.js'
import { type Seal, sealed, sealOf } from './seal.js'
import { type SendOptions, sendWhenWanted } from './sender.js'
import type { Sent } from './turn.js'
import type { Outgoing } from './what/outgoing.js'
import { plan } from './what/plan.js'

/** So long a link is held back, in milliseconds, to see whether there is a server at all. */
const INVITE_MS = 1000

/** `pipegate send`. docs/send-receive.md tells more. */
export const run: Run<typeof description> = async (values): Promise<CommandResult> => {
  const seal = sealOf(values)
  refuseContradictions(values, seal)
  const { stdout, stdin, env } = process
  const { screen, isTerminal, unicode } = screenOn(stdout, values, env)
  // With a secret of its own, a name need not be hard to guess.
  const name = values.name ?? newName((numbers) => crypto.getRandomValues(numbers), seal?.words === undefined ? 4 : 2)
  const place = await placeOf(name, values, env)
  const waitMs = values.wait === undefined ? undefined : values.wait * 1000
  const planned = async (skip?: (file: FileSummary) => boolean) => {
    const warn = (sentence: string) => screen.say([sentence], { event: 'warning', sentence })
    const plain = await plan({ ...values, isHidden: seal !== undefined, stdin, warn, ...(skip && { skip }) })
    return seal === undefined ? plain : sealed(plain, seal)
  }
  const outgoing = await planned()
  const view = new TransferView(outgoing.label, true, outgoing.length ?? outgoing.about ?? null)
  const style = { isTerminal, unicode, rows: stdout.rows ?? 0 }
  const { lines, data } = invitation(place, outgoing, { ...values, ...style, seal, isNamed: values.name !== undefined })
  const invite = once(() => screen.say(lines, data))
  const exitCode = await runShown(screen, view, stdout, place.server, async (signal) => {
    // When the place is taken; or soon, where a proxy holds back what the server says.
    const late = setTimeout(invite, INVITE_MS)
    signal.addEventListener('abort', () => clearTimeout(late))
    // Of a file the receiver asks for the rest by itself.
    const isList = values.resume && outgoing.description.kind === 'tar'
    const skip = isList ? await askWhatIsThere({ place, waitMs, signal, ...listOf(seal) }) : undefined
    const rest = skip === undefined ? outgoing : await planned(skip)
    if (skip !== undefined)
      screen.say([`The receiver has a part of it: ${sizeOf(rest)} are left.`], { event: 'resumed' })
    const sent = await sendWhenWanted({
      place,
      outgoing: rest,
      receivers: values.receivers,
      waitMs,
      kind: values.live ? 'live' : values.queue ? 'queue' : 'pipe',
      isVerified: !values.noVerify,
      signal,
      on: (news) => {
        invite()
        follow(news, view, screen)
      },
    }).finally(() => clearTimeout(late))
    return { line: success(rest, sent), exitCode: 0, data: { state: 'complete', ...sent } }
  })
  return { text: '', exitCode }
}

function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) action()
    isDone = true
  }
}

function refuseContradictions(values: Values<typeof description>, seal: Seal | undefined): void {
  const { live, queue, receivers, resume } = values
  if (live && queue) throw new WrongUsage('--live and --queue are two different things')
  if (live && receivers > 1) throw new WrongUsage('--live takes no --receivers: they come and go')
  if (resume && (live || queue || receivers > 1)) throw new WrongUsage('--resume is for one receiver')
  if (resume && seal !== undefined && 'recipients' in seal.to) {
    throw new WrongUsage('--resume does not go with --recipient: nobody but they could read what they have')
  }
}

/** How a receiver's list is read, which is encrypted like what it is about. */
function listOf(seal: Seal | undefined): Pick<HaveOptions, 'decrypt'> {
  if (seal === undefined || !('passphrase' in seal.to)) return { decrypt: undefined }
  const { passphrase } = seal.to
  return { decrypt: (bytes) => unsealedBytes(bytes, { passphrase }) }
}

function sizeOf({ about, description }: Outgoing): string {
  return formatBytes(description.bytes ?? about ?? 0)
}

function follow(news: Parameters<SendOptions['on']>[0], view: TransferView, screen: Screen): void {
  switch (news.event) {
    case 'bytes':
      view.bytes(news.bytes)
      return
    case 'waiting':
      view.waiting(news.receivers, news.wanted)
      break
    case 'streaming':
      view.streaming(news.receivers)
      break
    case 'left':
      view.left()
      break
    case 'trouble':
      view.lost(news)
      break
    case 'looked':
      screen.say(['Somebody has looked at the link; nothing was taken.'], { event: 'looked' })
      return
    case 'uploaded':
      return
  }
  screen.show(view, true)
}

/** `photos/  1.2 GB, 3 412 files in 14 s, 1 receiver, verified` */
function success({ label, description }: Outgoing, { bytes, seconds, receivers, sha256 }: Sent): string {
  const files = (description.files ?? 0) > 1 ? [`${grouped(description.files!)} files`] : []
  const speed = seconds >= 1 ? ` (${formatSpeed(bytes / seconds)})` : ''
  const parts = [
    `${[formatBytes(bytes), ...files].join(', ')} in ${formatDuration(seconds)}${speed}`,
    ...(receivers > 1 ? [`${receivers} receivers`] : []),
    ...(sha256 === undefined ? [] : ['verified']),
  ]
  return `${label}  ${parts.join(', ')}`
}

/** `3 412`: with a narrow space that does not break. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ')
}
