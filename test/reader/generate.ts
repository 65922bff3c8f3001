/** Connections at random: requests as they should be, nearly, and cases of the corpus that are changed here and there. */

import { mutate } from '../fuzz/bytes.js'
import type { Random } from '../model/random.js'
import { CORPUS } from './corpus.js'

/** Longer cases take their time, and are cut at every byte elsewhere. */
const CASES = CORPUS.map(([, bytes]) => bytes).filter((bytes) => bytes.length < 600)

const METHODS = ['GET', 'PUT', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'get', 'PROXY']
const TARGETS = [
  '/',
  '/a',
  '/a?b',
  '*',
  'http://h/p',
  'https://h:80',
  'HTTP://[::1]?q',
  'h:80',
  '/#',
  '/refuse',
  '/\xe9',
  'a',
]
const VERSIONS = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/1.', 'http/1.1', 'HTTP/1.1 ']
const HOSTS = ['x', 'x:80', '', 'a b', '[::1]', '[1:2::3]', 'a,b', 'x:99999', 'u@h', '%41', '1.2.3.4']
const NAMES = [
  'Host',
  'Connection',
  'Content-Length',
  'Transfer-Encoding',
  'Expect',
  'Upgrade',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Version',
  'X-A',
  'a',
]
const VALUES = [
  'close',
  'keep-alive',
  'TE, close',
  'Upgrade',
  'websocket',
  'chunked',
  'gzip, chunked',
  'chunked, chunked',
  '100-continue',
  '100-Continue, x',
  'dGhlIHNhbXBsZSBub25jZQ==',
  '13',
  '5',
  '0',
  '05',
  '5,5',
  'x',
  '',
  '\t a \t',
]
const WEBSOCKET = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const EXTENSIONS = [...Array(14).fill(''), ';a', ';a=b', ' ; a = "b;\\"c"', ';a="\r\n"', ';', ' ', ';a="b', ';;']
const TRAILERS = [...Array(9).fill(''), 'A: b\r\n', 'A:\r\nB: \t\r\n', 'A : b\r\n', 'A\r\n', ' b\r\n', 'A: b\n']
const BREAKS = ['\n', '\r', '', '\r\r\n', ' \r\n', '\r\n ']

export function connectionOf(random: Random): string {
  let bytes = ''
  for (let i = random.between(1, 3); i > 0; i--) bytes += random.chance(30) ? random.pick(CASES)! : request(random)
  if (random.chance(35)) bytes = mutate(random, bytes)
  if (random.chance(10)) bytes = bytes.slice(0, random.below(bytes.length + 1))
  return bytes
}

const rarely = (random: Random, usual: string, others: readonly string[], percent = 8) =>
  random.chance(percent) ? random.pick(others)! : usual

function request(random: Random): string {
  const method = rarely(random, random.pick(['GET', 'PUT', 'POST'])!, METHODS)
  const line = [method, rarely(random, '/a', TARGETS, 25), rarely(random, 'HTTP/1.1', VERSIONS)].join(' ')
  const framed = random.chance(25) ? { field: undefined, bytes: '' } : body(random)
  const fields = framed.field === undefined ? [] : [framed.field]
  if (!random.chance(4)) fields.push(`Host: ${rarely(random, 'x', HOSTS, 12)}`)
  if (random.chance(8)) fields.push(...WEBSOCKET)
  for (let i = random.below(3); i > 0; i--) fields.push(`${random.pick(NAMES)}:${random.pick(VALUES)}`)
  const lineBreak = () => rarely(random, '\r\n', BREAKS, 2)
  const empty = random.chance(10) ? '\r\n'.repeat(random.below(4)) : ''
  const head = [line, ...shuffle(random, fields), ''].map((each) => each + lineBreak()).join('')
  return empty + head + framed.bytes
}

function shuffle(random: Random, things: readonly string[]): string[] {
  const shuffled: string[] = []
  for (const thing of things) shuffled.splice(random.below(shuffled.length + 1), 0, thing)
  return shuffled
}

function body(random: Random): { field: string; bytes: string } {
  const data = dataOf(random, random.chance(5) ? 3000 : 30)
  if (random.chance(65))
    return { field: `Transfer-Encoding: ${rarely(random, 'chunked', VALUES)}`, bytes: anyChunks(random, data) }
  const length = random.chance(10) ? random.below(data.length + 5) : data.length
  return { field: `Content-Length: ${rarely(random, `${length}`, VALUES)}`, bytes: data }
}

/** Letters that could be framing themselves. */
function dataOf(random: Random, most: number): string {
  return Array.from({ length: random.below(most) }, () => random.pick(['a', '0', '\r', '\n', '5', ';', 'GET / '])).join(
    '',
  )
}

const anyChunks = (random: Random, data: string) =>
  random.chance(40) ? steadyChunks(random, data + data + data) : chunks(random, data)

/** Of one size, each with the same line, but for the last one, and rarely for one of the others. */
function steadyChunks(random: Random, data: string): string {
  const size = random.between(1, random.chance(70) ? 6 : 300)
  const line = sizeLine(random, size)
  let bytes = ''
  for (let at = 0; at < data.length; at += size) {
    const piece = data.slice(at, at + size)
    const usual = piece.length === size && !random.chance(4)
    bytes += (usual ? line : sizeLine(random, piece.length)) + piece + rarely(random, '\r\n', BREAKS, 1)
  }
  return `${bytes}${sizeLine(random, 0)}${random.pick(TRAILERS)}\r\n`
}

function chunks(random: Random, data: string): string {
  let bytes = ''
  for (let at = 0; at < data.length; ) {
    const piece = data.slice(at, at + random.between(1, random.chance(70) ? 5 : 2000))
    bytes += sizeLine(random, piece.length) + piece + rarely(random, '\r\n', BREAKS, 2)
    at += piece.length
  }
  return `${bytes}${sizeLine(random, 0)}${random.pick(TRAILERS)}\r\n`
}

function sizeLine(random: Random, size: number): string {
  const zeros = random.chance(10) ? '0'.repeat(random.below(34)) : ''
  const digits = random.chance(50) ? size.toString(16) : size.toString(16).toUpperCase()
  return zeros + digits + random.pick(EXTENSIONS) + rarely(random, '\r\n', BREAKS, 2)
}
