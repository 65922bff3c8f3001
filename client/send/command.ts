import { newName } from '../../plugins/pages/name.js'
import { formatBytes, formatDuration, formatSpeed } from '../../plugins/transfer-status/format.js'
import type { CommandResult, Run } from '../cli/command.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { type NamedPlace, placeOf } from '../place.js'
import { endingOf } from '../screen/ending.js'
import { runShown } from '../screen/run.js'
import { type Ending, type Screen, screenOn } from '../screen/screen.js'
import { TransferView } from '../screen/transfer-view.js'
import type { description } from './description.js'
import { invitation } from './invitation.js'
import { type SendOptions, sendWhenWanted } from './sender.js'
import type { Sent } from './turn.js'
import type { Outgoing } from './what/outgoing.js'
import { plan } from './what/plan.js'

/** `pipegate send`. docs/send-receive.md tells more. */
export const run: Run<typeof description> = async (values): Promise<CommandResult> => {
  if (values.live && values.queue) throw new WrongUsage('--live and --queue are two different things')
  if (values.live && values.receivers > 1) throw new WrongUsage('--live takes no --receivers: they come and go')
  const { stdout, stdin, env } = process
  const { screen, isTerminal, unicode } = screenOn(stdout, values, env)
  const place = placeOf(values.name ?? newName((numbers) => crypto.getRandomValues(numbers)), values, env)
  const warn = (sentence: string) => screen.say([sentence], { event: 'warning', sentence })
  const outgoing = await plan({ ...values, isHidden: values.encrypt, stdin, warn })
  const view = new TransferView(outgoing.label, true, outgoing.length ?? outgoing.about ?? null)
  const invited = invitation(place, outgoing, { ...values, isTerminal, unicode, rows: stdout.rows ?? 0 })
  screen.say(invited.lines, invited.data)
  const exitCode = await runShown(screen, view, stdout, (signal) =>
    transfer({
      place,
      outgoing,
      receivers: values.receivers,
      waitMs: values.wait === undefined ? undefined : values.wait * 1000,
      kind: values.live ? 'live' : values.queue ? 'queue' : 'pipe',
      isVerified: !values.noVerify,
      signal,
      on: (news) => follow(news, view, screen),
    }),
  )
  return { text: '', exitCode }
}

async function transfer(options: SendOptions & { readonly place: NamedPlace }): Promise<Ending> {
  const { outgoing, place } = options
  try {
    const sent = await sendWhenWanted(options)
    return { line: success(outgoing, sent), exitCode: 0, data: { state: 'complete', ...sent } }
  } catch (error) {
    if (options.signal.aborted) return { line: '', exitCode: 1, data: { state: 'interrupted' } }
    return endingOf(error, place.server)
  }
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
