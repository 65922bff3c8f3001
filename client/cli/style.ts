/** How a text stands out, and how wide it is. */
export interface Style {
  readonly width: number
  heading(text: string): string
}

const WIDEST = 100
const NARROWEST = 60

/** For files, tests and the man page. */
export const PLAIN: Style = { width: WIDEST, heading: (text) => text }

/** For this stream: bold headings on a terminal that has colours, unless NO_COLOR says otherwise. */
export function styleOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Style {
  if (!stream.isTTY) return PLAIN
  const width = Math.max(NARROWEST, Math.min(WIDEST, stream.columns ?? WIDEST))
  return { width, heading: isColoured(stream, env) ? (text) => `\u001b[1m${text}\u001b[22m` : PLAIN.heading }
}

/** Whether what is written there may have colours: see no-color.org. */
export function isColoured(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb' && stream.hasColors(env)
}

/** Whether the locale says that texts are UTF-8. */
export function isUtf8(env: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '')
}
