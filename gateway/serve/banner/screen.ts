import { showsColours } from '../../log/log.js'

/** What a terminal can show. */
export interface Screen {
  /** How many characters fit into a line. */
  readonly columns: number
  readonly isColoured: boolean
  /** Whether it takes more than ASCII. */
  readonly isUtf8: boolean
}

/** As wide as a terminal that does not tell its width. */
const USUAL_COLUMNS = 80

/** The terminal that standard output is. */
export function ownScreen(env: NodeJS.ProcessEnv = process.env): Screen {
  // The first of these that is set decides (POSIX, 8.2).
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return {
    columns: process.stdout.columns || USUAL_COLUMNS,
    isColoured: showsColours(env),
    isUtf8: /utf-?8/i.test(locale),
  }
}

/** Words in lines of at most `columns` characters, the second and later ones indented; a longer word stays whole. */
export function wrapped(text: string, columns: number, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ +/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = indent + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
