/** `pipegate serve --qr`, as a phone would read it from the screen. */
import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { command } from '../../support/command.js'
import { freePort } from '../../support/free-port.js'
import { Terminal, type TerminalOptions } from './terminal.js'

const OTHERS = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.internal === false && each.family === 'IPv4')

async function shown(t: Test, flags: readonly string[], options: TerminalOptions) {
  const port = await freePort()
  const terminal = new Terminal(t, ['serve', '--port', `${port}`, '--qr', ...flags], options)
  await terminal.waitFor('Ctrl-C stops it.')
  return terminal.shown
}

/** The terminal as rows of pixels, true being lit: what a camera sees. Two half blocks stand above each other in a character. */
function pixels(lines: readonly string[]): boolean[][] {
  return lines.flatMap((line) => {
    const cells = [...line]
    return [cells.map((cell) => cell === '█' || cell === '▀'), cells.map((cell) => cell === '█' || cell === '▄')]
  })
}

/** Reads a QR code by a decoder that knows nothing of the one who drew it. */
async function decoded(t: Test, rows: readonly (readonly boolean[])[]): Promise<string> {
  const scale = 8
  const border = 4 * scale
  const width = Math.max(...rows.map((row) => row.length)) * scale + 2 * border
  const height = rows.length * scale + 2 * border
  const image = Buffer.alloc(width * height)
  for (const [y, row] of rows.entries())
    for (const [x, lit] of row.entries())
      if (lit)
        for (let i = 0; i < scale; i++)
          image.fill(
            255,
            (border + y * scale + i) * width + border + x * scale,
            (border + y * scale + i) * width + border + (x + 1) * scale,
          )
  const file = join(t.testdir(), 'screen.pgm')
  writeFileSync(file, Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), image]))
  const read = await command('zbarimg', ['-q', '--raw', file])
  return read.stdout.toString().trim()
}

const skip = OTHERS ? false : 'this machine has no network'

t.test('half blocks, as a phone reads them', { skip }, async (t) => {
  for (const options of [{ env: { NO_COLOR: '1' } }, {}, { columns: 40 }]) {
    const text = (await shown(t, ['--host', '0.0.0.0'], options)).replaceAll(/\x1b\[[\d;]*m/g, '')
    const best = /^(?: {2})?(?:browser +|browser\n)(\S+)$/m.exec(text)![1]!
    const code = text.split('\n').filter((line) => /^[ █▀▄]{20,}$/.test(line))
    t.equal(await decoded(t, pixels(code)), best)
  }
})

t.test('without UTF-8: whole squares of ASCII', { skip }, async (t) => {
  const text = await shown(t, ['--host', '0.0.0.0'], { env: { NO_COLOR: '1', LC_ALL: 'C' } })
  t.match(text, /^[\n -~]+$/)
  const code = text.split('\n').filter((line) => /^[ #]{40,}$/.test(line))
  const rows = code.map((line) => (line.match(/../g) ?? []).map((cell) => cell === '##'))
  t.equal(await decoded(t, rows), /browser +(\S+)$/m.exec(text)![1])
  const coloured = await shown(t, ['--host', '0.0.0.0'], { env: { LC_ALL: 'C' } })
  t.match(coloured, '\x1b[107m  \x1b[0m')
  const narrow = await shown(t, ['--host', '0.0.0.0'], { env: { LC_ALL: 'C' }, columns: 40 })
  t.match(narrow, 'No QR code: the terminal is too')
})

t.test('none for an address that no other machine reaches', async (t) => {
  t.match(await shown(t, [], {}), 'No QR code: no other machine reaches this address.')
})
