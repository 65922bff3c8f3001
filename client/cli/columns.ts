/** Words in lines of at most `width` characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

export type Row = readonly [left: string, right: string]

/**
 * Rows of two columns, the second one wrapped. A first one that is too wide for its column stands on a line of its own.
 * @param like rows of other tables, whose second column shall be at the same place
 */
export function columns(rows: readonly Row[], width: number, like: readonly Row[] = rows): string[] {
  const column = Math.min(Math.max(...like.map(([left]) => left.length)), Math.floor(width / 3)) + 4
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, width - column).map((line) => ' '.repeat(column) + line)
    if (left.length > column - 4) return [`  ${left}`, ...lines]
    return [`  ${left}`.padEnd(column) + lines[0]!.trimStart(), ...lines.slice(1)]
  })
}
