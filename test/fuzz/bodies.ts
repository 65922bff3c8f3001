/** Bodies with their framing headers: right ones, and all that two parsers could read in two ways. */

import type { Random } from '../model/random.js'
import { hostile, maybeHostile, mutate } from './bytes.js'

export type Field = readonly [name: string, value: string]

export interface Body {
  readonly fields: readonly Field[]
  readonly bytes: string
}

/** The names of fields are written in many ways, and mean the same or nothing. */
const LENGTH = ['Content-Length', 'content-length', 'Content_Length', 'Content-Length ', ' Content-Length']
const CODING = [
  'Transfer-Encoding',
  'transfer-encoding',
  'Transfer_Encoding',
  'Transfer-Encoding ',
  'X\r\nTransfer-Encoding',
]
const CODINGS = [
  'chunked',
  'Chunked',
  ' chunked',
  'chunked\t',
  '\x0bchunked',
  'identity',
  'gzip, chunked',
  'chunked, identity',
]
const MORE_CODINGS = ['chunked, chunked', 'xchunked', 'chunkedx', '"chunked"', '', ',', 'chunked;q=1', 'chu nked']

export function bodyOf(random: Random): Body {
  const [type, bytes] = random.chance(30) ? multipart(random) : plain(random)
  const framed = random.chance(50) ? byLength(random, bytes) : byChunks(random, bytes)
  return { fields: [...type, ...framed.fields], bytes: framed.bytes }
}

function plain(random: Random): [Field[], string] {
  const text = random.chance(10) ? 'x'.repeat(random.between(1, 200_000)) : hostile(random).repeat(random.below(4))
  return [[], text]
}

function byLength(random: Random, bytes: string): Body {
  const { length } = bytes
  const right: Field = ['Content-Length', `${length}`]
  switch (random.below(12)) {
    case 0:
      return { fields: [right, [random.pick(LENGTH)!, `${random.below(2 * length + 2)}`]], bytes }
    case 1: {
      const odd = [
        `+${length}`,
        `-${length}`,
        ` ${length} `,
        `0x${length.toString(16)}`,
        `${length},${length}`,
        `${length} 1`,
      ]
      const more = ['', '1e3', '1.0', '٣', '9'.repeat(19), '9'.repeat(400), `${'0'.repeat(30)}${length}`, 'NaN']
      return { fields: [['Content-Length', random.pick([...odd, ...more])!]], bytes }
    }
    case 2:
      return { fields: [right, [random.pick(CODING)!, random.pick(CODINGS)!]], bytes }
    case 3:
      return { fields: [['Content-Length', `${random.below(2 * length + 10)}`]], bytes }
    case 4:
      return { fields: [], bytes }
    default:
      return { fields: [right], bytes }
  }
}

function byChunks(random: Random, bytes: string): Body {
  const right: Field = ['Transfer-Encoding', 'chunked']
  const chunked = chunks(random, bytes)
  switch (random.below(10)) {
    case 0:
      return { fields: [[random.pick(CODING)!, random.pick([...CODINGS, ...MORE_CODINGS])!]], bytes: chunked }
    case 1:
      return { fields: [right, [random.pick(CODING)!, random.pick(CODINGS)!]], bytes: chunked }
    case 2:
      return { fields: [right], bytes: mutate(random, chunked) }
    case 3:
      return { fields: [right], bytes: oddChunks(random, bytes) }
    case 4:
      return { fields: [right, [random.pick(LENGTH)!, `${random.below(20)}`]], bytes: chunked }
    default:
      return { fields: [right], bytes: chunked }
  }
}

function chunks(random: Random, bytes: string, lineOf = (size: number) => size.toString(16)): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.slice(at, at + random.between(1, random.chance(50) ? 9 : 70_000))
    text += `${lineOf(piece.length)}\r\n${piece}\r\n`
    at += piece.length
  }
  return `${text}0\r\n\r\n`
}

function oddChunks(random: Random, bytes: string): string {
  const lines: readonly ((size: number) => string)[] = [
    (size) => `${size.toString(16)};name=${hostile(random)}`,
    (size) => `${size.toString(16)} `,
    (size) => ` ${size.toString(16)}`,
    (size) => `0x${size.toString(16)}`,
    (size) => `+${size.toString(16)}`,
    (size) => `-${size.toString(16)}`,
    (size) => `${'0'.repeat(40)}${size.toString(16)}`,
    (size) => `1${'0'.repeat(15)}${size.toString(16)}`,
    (size) => `${size}`,
    () => 'fffffffffffffffe',
    () => '',
  ]
  const text = chunks(random, bytes, random.pick(lines)!)
  if (random.chance(30)) return text.replaceAll('\r\n', '\n')
  if (random.chance(30)) return `${text.slice(0, -2)}Trailer: ${hostile(random)}\r\n\r\n`
  return text
}

const BOUNDARIES = [
  'b',
  '----WebKitFormBoundaryAAAA',
  '"quoted b"',
  '',
  'x'.repeat(71),
  'b; charset=utf-8',
  "'()+_,-./:=?",
]

function multipart(random: Random): [Field[], string] {
  const boundary = random.pick(BOUNDARIES)!
  const parameter = random.chance(10) ? '' : `; boundary=${boundary}`
  const mark = random.chance(10) ? 'another' : boundary.replaceAll('"', '')
  const parts = Array.from(
    { length: random.chance(3) ? 300 : random.below(4) },
    () => `--${mark}\r\n${part(random)}\r\n`,
  )
  let text = `${random.chance(10) ? hostile(random) : ''}${parts.join('')}--${mark}${random.chance(20) ? '' : '--\r\n'}`
  if (random.chance(20)) text = mutate(random, text)
  return [[['Content-Type', maybeHostile(random, `multipart/form-data${parameter}`, 5)]], text]
}

function part(random: Random): string {
  const name = random.pick(['file', 'input_text', 'other', '__proto__', ''])!
  const filenames = [
    '',
    '; filename="a.txt"',
    `; filename="${hostile(random)}"`,
    `; filename*=UTF-8''${hostile(random)}`,
  ]
  const disposition = `Content-Disposition: form-data; name="${maybeHostile(random, name, 10)}"${random.pick(filenames)}`
  const types = ['', '', '\r\nContent-Type: text/html', `\r\nContent-Type: ${hostile(random)}`]
  const more = random.chance(3) ? `\r\nX-Long: ${'x'.repeat(random.below(20_000))}` : ''
  const content = random.chance(10) ? 'y'.repeat(random.below(100_000)) : hostile(random)
  return `${disposition}${random.pick(types)}${more}\r\n\r\n${content}`
}
