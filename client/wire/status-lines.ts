/** What a line of the answer to a sender says. The words are those of pipegate, of Hoody Pipe and of Piping Server. */
export type StatusLine =
  | { readonly kind: 'waiting'; readonly receivers: number; readonly wanted: number | undefined }
  | { readonly kind: 'streaming'; readonly receivers: number }
  | { readonly kind: 'uploaded' | 'complete' | 'left' | 'looked' }
  | { readonly kind: 'sha256'; readonly digest: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'other'; readonly text: string }

type Reading = readonly [pattern: RegExp, read: (found: RegExpExecArray) => StatusLine]

const READINGS: readonly Reading[] = [
  [/^(?:Streaming|Start sending) to (\d+)/, ([, count]) => ({ kind: 'streaming', receivers: Number(count) })],
  [/^Live: streaming/, () => ({ kind: 'streaming', receivers: 0 })],
  [/^(?:Transfer complete\.|All receiver\S* .*received successfully|Live stream ended)/, () => ({ kind: 'complete' })],
  // Piping Server says so of a failure.
  [
    /^All receiver\S* .*aborted/,
    () => ({ kind: 'error', text: 'All receivers disconnected before transfer completed.' }),
  ],
  [/^(?:Upload complete\.|Sent successfully!)/, () => ({ kind: 'uploaded' })],
  [/^SHA-256: ([0-9a-f]{64})$/, ([, digest]) => ({ kind: 'sha256', digest: digest! })],
  [
    /^A (?:receiver|viewer) connected, (\d+) of (\d+)/,
    ([, count, wanted]) => ({ kind: 'waiting', receivers: Number(count), wanted: Number(wanted) }),
  ],
  [/^(\d+) receiver\S* .*connected/, ([, count]) => ({ kind: 'waiting', receivers: Number(count), wanted: undefined })],
  [/^Waiting for (\d+) receiver/, ([, wanted]) => ({ kind: 'waiting', receivers: 0, wanted: Number(wanted) })],
  [/^A (?:receiver|viewer) (?:disconnected|aborted)/, () => ({ kind: 'left' })],
  [/looked at this link/, () => ({ kind: 'looked' })],
]

/** @param line without its break */
export function readStatusLine(line: string): StatusLine {
  const [, level, text = ''] = /^\[(INFO|ERROR)\] ?(.*)$/s.exec(line) ?? []
  if (level === 'ERROR') return { kind: 'error', text }
  if (level === undefined) return { kind: 'other', text: line }
  for (const [pattern, read] of READINGS) {
    const found = pattern.exec(text)
    if (found !== null) return read(found)
  }
  return { kind: 'other', text }
}

/** Cuts text into lines, whatever pieces it comes in. @param onLine without its break */
export function lineSplitter(onLine: (line: string) => void, longest = 4096): (text: string) => void {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!.slice(0, longest)
    for (const line of lines) onLine(line.replace(/\r$/, ''))
  }
}
