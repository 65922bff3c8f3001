const LONGEST_SHOWN = 80

/** Text on one line, safe for a terminal and a YAML comment: control characters and line separators are escaped. */
export function printable(text: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped)
}

/** A value as an error message shows it: short, on one line, and never a private key that was pasted in place of its path. */
export function show(raw: unknown): string {
  if (Array.isArray(raw)) return 'a list'
  if (typeof raw === 'object' && raw !== null) return 'a mapping'
  if (typeof raw === 'symbol') return raw.description ?? ''
  if (typeof raw !== 'string') return String(raw)
  if (raw.includes('-----BEGIN')) return 'PEM text (not shown)'
  const quoted = printable(JSON.stringify(raw))
  return quoted.length > LONGEST_SHOWN ? `${quoted.slice(0, LONGEST_SHOWN)}…"` : quoted
}

/** The readable half of a system error's message: `ENOENT: no such file or directory`. */
export function systemError(error: unknown): string {
  return error instanceof Error ? printable(error.message.split(',')[0]!) : 'an error'
}
