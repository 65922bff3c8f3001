/** Words that parsers have stumbled over, and small changes to what was well-formed. All text is Latin-1: one byte for each character. */

import type { Random } from '../model/random.js'

/** A header that nobody but an attacker writes; it must never come back as one. */
export const INJECTED = 'X-Injected'
/** What a page that shows it unescaped would run. */
export const SCRIPT = '<script>fuzz'
export const HANDLER = 'onerror=fuzz'

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

/** What would run in a page that shows it as it is: in text, in attributes, in a script. */
export const MARKUP: readonly string[] = [
  SCRIPT,
  `"><img src=x ${HANDLER}>`,
  `' ${HANDLER} x='`,
  `</title>${SCRIPT}`,
  `</script>${SCRIPT}`,
  `-->${SCRIPT}`,
]

/** Things that look for a way out of where they stand. */
export const HOSTILE: readonly string[] = [
  ...MARKUP,
  `\r\n${INJECTED}: 1`,
  `\n${INJECTED}: 1`,
  `\r${INJECTED}: 1`,
  `%0d%0a${INJECTED}:%201`,
  `%0d%0a%0d%0a${SCRIPT}`,
  // Their last bytes are CR and LF, for who cuts characters down to bytes.
  `${utf8('\u560d\u560a')}${INJECTED}: 1`,
  `${utf8('\u010d\u010a')}${INJECTED}: 1`,
  '\0',
  '\x7f',
  '\x1b[31m',
  '\xff\xfe',
  '\xc3',
  utf8('caf\u00e9\u202e\u{1f600}'),
  '\xed\xa0\x80',
  '%00',
  '%zz',
  '%',
  '__proto__',
  'constructor',
  '$&',
  '%s%n',
  ' ',
  '\t',
  ';',
  ',',
  '"',
  '\\',
  '',
]

export function hostile(random: Random): string {
  return random.pick(HOSTILE)!
}

/** Mostly `usual`; sometimes something hostile, alone or at its end. */
export function maybeHostile(random: Random, usual: string, percent = 20): string {
  if (!random.chance(percent)) return usual
  return random.chance(50) ? hostile(random) : usual + hostile(random)
}

const BYTES = ['\0', '\r', '\n', '\r\n', '\t', ' ', ':', ';', '%', '?', '#', '/', '\\', '0', '\x7f', '\x80', '\xff']

/** Changes one to three places. */
export function mutate(random: Random, text: string): string {
  let mutated = text
  for (let i = random.between(1, 3); i > 0; i--) mutated = mutateOnce(random, mutated)
  return mutated
}

function mutateOnce(random: Random, text: string): string {
  const at = random.below(text.length + 1)
  const to = Math.min(text.length, at + random.between(1, 12))
  const before = text.slice(0, at)
  switch (random.below(6)) {
    case 0:
      return before + random.pick(BYTES) + text.slice(at)
    case 1:
      return before + random.pick(BYTES) + text.slice(at + 1)
    case 2:
      return before + text.slice(to)
    case 3:
      return text.slice(0, to) + text.slice(at)
    case 4:
      return before
    default:
      return before + hostile(random) + text.slice(at)
  }
}
