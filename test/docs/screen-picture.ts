/** A terminal's screen, as an SVG. */

/** One character, and how it looks. */
interface Cell {
  readonly char: string
  readonly isBold: boolean
  readonly colour: string
}

const CELL = { width: 8.4, height: 18 }
const MARGIN = 16
const BAR = 30
const INK = '#e6edf3'
const COLOURS: Readonly<Record<string, string>> = { 31: '#ff7b72', 32: '#3fb950', 33: '#d29922', 39: INK }

/** The parts of a cell that block elements fill: left, top, width and height in cells. Fonts leave gaps between them. */
const BLOCKS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  '█': [0, 0, 1, 1],
  '▀': [0, 0, 1, 0.5],
  '▄': [0, 0.5, 1, 0.5],
  '▌': [0, 0, 0.5, 1],
}

/** What stands on the screen after all this: text, line ends, carriage returns, `ESC [K`, bold and colours. */
export function screenOf(output: string): Cell[][] {
  const rows: Cell[][] = [[]]
  let column = 0
  let isBold = false
  let colour = INK
  for (const [part] of output.matchAll(/\x1b\[([\d;]*)([A-Za-z])|[\s\S]/gu)) {
    const row = rows.at(-1)!
    if (part === '\n') {
      rows.push([])
      column = 0
    } else if (part === '\r') column = 0
    else if (part === '\x1b[K') row.splice(column)
    else if (part.startsWith('\x1b[')) {
      const code = part.slice(2, -1)
      if (code === '1' || code === '22') isBold = code === '1'
      else colour = COLOURS[code] ?? colour
    } else row[column++] = { char: part, isBold, colour }
  }
  return rows
}

/** @param title what it shows, for who cannot see it */
export function pictureOf(rows: readonly (readonly Cell[])[], columns: number, title: string): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN)
  const height = BAR + rows.length * CELL.height + MARGIN
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, i) => `<circle cx="${20 + 20 * i}" cy="16" r="6" fill="${fill}"/>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t">`,
    `<title id="t">${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#0d1117" stroke="#57606a"/>`,
    ...dots,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="${INK}">`,
    ...rows.flatMap((row, i) => [...textOf(row, BAR + i * CELL.height), ...blocksOf(row, BAR + i * CELL.height)]),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Runs of one look, each as wide as its cells, whatever the font is. */
function* textOf(row: readonly Cell[], top: number): Generator<string> {
  const at = (column: number) => round(MARGIN + column * CELL.width)
  for (let from = 0; from < row.length; ) {
    const first = row[from]!
    let to = from + 1
    if (!isGap(first)) {
      while (to < row.length && !isGap(row[to]!) && isAlike(row[to]!, first)) to++
      const text = row
        .slice(from, to)
        .map(({ char }) => char)
        .join('')
      const look = `${first.isBold ? ' font-weight="700"' : ''}${first.colour === INK ? '' : ` fill="${first.colour}"`}`
      const length = round((to - from) * CELL.width)
      yield `<text x="${at(from)}" y="${round(top + 13.5)}" textLength="${length}"${look}>${escaped(text)}</text>`
    }
    from = to
  }
}

/** Neighbours of one shape are one path: seams would show. */
function* blocksOf(row: readonly Cell[], top: number): Generator<string> {
  for (let from = 0; from < row.length; ) {
    const { char, colour } = row[from]!
    let to = from + 1
    while (to < row.length && row[to]!.char === char) to++
    const block = BLOCKS[char]
    if (block !== undefined) {
      const [left, up, w, h] = block
      const x = round(MARGIN + (from + left) * CELL.width)
      const size = `width="${round((to - from - 1 + w) * CELL.width)}" height="${round(h * CELL.height)}"`
      yield `<rect x="${x}" y="${round(top + up * CELL.height)}" ${size} fill="${colour}" shape-rendering="crispEdges"/>`
    }
    from = to
  }
}

const isGap = ({ char }: Cell) => char === ' ' || char in BLOCKS
const isAlike = (a: Cell, b: Cell) => a.isBold === b.isBold && a.colour === b.colour
const round = (value: number) => Math.round(value * 100) / 100
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
