import { encode } from 'uqr'
import type { Screen } from './screen.js'

/** As much white as readers of QR codes ask for in practice; the standard has 4. */
const BORDER = 2

/**
 * A QR code of `text`, in lines; undefined when it does not fit. Two rows of the code are one line where the terminal has the
 * characters for that. What it paints are the white squares, in white on black if it has colours: a terminal is dark more often than light.
 */
export function qrCode(text: string, { columns, isColoured, isUtf8 }: Screen): readonly string[] | undefined {
  const { data, size } = encode(text, { ecc: 'L', border: BORDER })
  if (size * (isUtf8 ? 1 : 2) > columns) return undefined
  const isWhite = (x: number, y: number) => data[y]?.[x] === false
  const lines = isUtf8 ? halfBlocks(size, isWhite) : wholeSquares(size, isWhite, isColoured)
  return isUtf8 && isColoured ? lines.map((line) => `\x1b[97;40m${line}\x1b[0m`) : lines
}

type IsWhite = (x: number, y: number) => boolean

function halfBlocks(size: number, isWhite: IsWhite): string[] {
  return Array.from({ length: Math.ceil(size / 2) }, (_, row) =>
    Array.from(
      { length: size },
      (_, x) => ' ▄▀█'[(isWhite(x, 2 * row) ? 2 : 0) + (isWhite(x, 2 * row + 1) ? 1 : 0)],
    ).join(''),
  )
}

/** Two characters are about as wide as one is high. */
function wholeSquares(size: number, isWhite: IsWhite, isColoured: boolean): string[] {
  const [white, black] = isColoured ? ['\x1b[107m  \x1b[0m', '\x1b[40m  \x1b[0m'] : ['##', '  ']
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => (isWhite(x, y) ? white : black)).join(''),
  )
}
