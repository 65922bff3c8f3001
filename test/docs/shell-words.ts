/** What a shell would make of the commands in the documentation, where it is not what their reader means. */

/** In zsh a word with one of these that matches no file is an error; `^`, `~` and `#` are patterns for who has set that. */
const PATTERNS = '?*[]^#~'
const OPERATORS = /^(?:&&|\|\||[|;&<>()]|\n)/

export interface Word {
  readonly text: string
  /** Characters outside of quotes that a shell does not take as they are. */
  readonly special: string
  readonly isOperator: boolean
}

/** The words and operators of a script, without its comments. Quotes and `$(…)` are taken off or kept as parts of a word. */
export function wordsOf(script: string): Word[] {
  const words: Word[] = []
  let at = 0
  while (at < script.length) {
    const rest = script.slice(at)
    const blank = /^(?:[ \t]+|\\\n|#.*)/.exec(rest)
    const operator = OPERATORS.exec(rest)
    if (blank !== null) at += blank[0].length
    else if (operator !== null) {
      words.push({ text: operator[0], special: '', isOperator: true })
      at += operator[0].length
    } else {
      const word = wordAt(rest)
      words.push(word)
      at += word.length
    }
  }
  return words
}

/** Up to the next blank or operator outside of quotes. */
function wordAt(script: string): Word & { length: number } {
  let text = ''
  let special = ''
  let at = 0
  while (at < script.length) {
    const rest = script.slice(at)
    const whole = /^(?:'[^']*'|"(?:\\[\s\S]|\$\([^)]*\)|[^"\\])*"|\$\([^)]*\)|\$\{[^}]*\}|\\[\s\S])/.exec(rest)?.[0]
    if (whole !== undefined) {
      text += whole.replace(/^(['"])([\s\S]*)\1$/, '$2')
      at += whole.length
      continue
    }
    const char = rest[0]!
    // An `&` in an address ends the command, there and in bash.
    if (/[\s;|<>()]/.test(char) || (char === '&' && /^&(?:\s|&|$)/.test(rest))) break
    const isHome = char === '~' && at === 0 && /^~(?:\/|$)/.test(rest)
    if ((PATTERNS.includes(char) && !isHome) || char === '&' || (char === '=' && at === 0)) special += char
    text += char
    at++
  }
  return { text, special, isOperator: false, length: at }
}

/** Words that have to stand in quotes. */
export function unquoted(script: string): string[] {
  return wordsOf(script)
    .filter(({ special }) => special !== '')
    .map(({ text }) => text)
}

/**
 * Calls of curl whose answer becomes a file, or the input or the reason of another program, and that take a refusal for a good answer.
 * What sends is told in words what happened.
 */
export function curlsWithoutFail(script: string): string[] {
  const found: string[] = []
  let call: Word[] = []
  for (const word of [...wordsOf(script), { text: '\n', special: '', isOperator: true }]) {
    if (!word.isOperator) call.push(word)
    else {
      const texts = call.map(({ text }) => text)
      const [program, ...args] = texts
      const goesOn = ['|', '>', '&&'].includes(word.text)
      if (program === 'curl' && (goesOn || isSaved(args)) && !isSending(args) && !fails(args))
        found.push(texts.join(' '))
      call = []
    }
  }
  return found
}

const has = (args: readonly string[], letters: RegExp, names: RegExp) =>
  args.some((arg) => (arg.startsWith('--') ? names.test(arg) : arg.startsWith('-') && letters.test(arg)))

const isSaved = (args: readonly string[]) => has(args, /^-[a-zA-Z]*[oO]/, /^--(?:output|remote-name)$/)
const isSending = (args: readonly string[]) => has(args, /^-[a-zA-Z]*[TdF]/, /^--(?:upload-file|data\S*|form|json)$/)
const fails = (args: readonly string[]) => has(args, /^-[a-zA-Z]*f/, /^--fail(?:-with-body)?$/)
