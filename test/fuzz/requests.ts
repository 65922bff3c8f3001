/** Requests: a valid skeleton, filled with what the gateway reads, and changed here and there. */

import type { Random } from '../model/random.js'
import { type Body, bodyOf, type Field } from './bodies.js'
import { HANDLER, hostile, INJECTED, MARKUP, maybeHostile, mutate, SCRIPT } from './bytes.js'

const RESERVED = [
  '',
  'health',
  'metrics',
  'help',
  'noscript',
  'openapi.json',
  'favicon.ico',
  'robots.txt',
  'version',
  'HEALTH',
  'help/',
  'help.',
]
const METHODS = [
  'GET',
  'GET',
  'GET',
  'PUT',
  'PUT',
  'POST',
  'HEAD',
  'OPTIONS',
  'DELETE',
  'PATCH',
  'TRACE',
  'CONNECT',
  'get',
  'FOO',
  'PRI',
]
const VERSIONS = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/1.1 ', 'http/1.1', 'HTTP/1.', '', 'HTTP/1.1x']
/** Forms of a target that are no path, and paths that a proxy might tidy up. */
const targetsOf = (path: string): readonly string[] => [
  `http://127.0.0.1${path}`,
  `//127.0.0.1${path}`,
  `*`,
  `127.0.0.1:80`,
  path.slice(1),
  `/.${path}`,
  `/..${path}`,
  `/%2e%2e${path}`,
  `${path}/../health`,
  `${path}%2f..`,
  `${path}\\..`,
  `${path}#fragment`,
  `${path}?`,
  `${path}??`,
  `/${'a'.repeat(1023)}`,
  `/${'a'.repeat(1025)}`,
  `/${'%41'.repeat(400)}`,
]

const NUMBERS = [
  '1',
  '2',
  '0',
  '-1',
  '+1',
  '01',
  '256',
  '257',
  '1e1',
  '1.5',
  '9007199254740993',
  '',
  ' 1',
  '٣',
  'NaN',
  '0x1',
]
const SWITCH = ['', '1', 'true', 'YES', '0', 'false', 'No', 'maybe', '2']
const TEXTS = ['a.txt', 'end', 'stream', '../../a', 'x'.repeat(300), 'abcdefghijklmnop', 'ABCDEFGHIJKLMNOP-_0123456789']

const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  n: NUMBERS,
  // Not longer than a test waits.
  wait: ['1', '1', '2', '0', '-1', '3601', '01', '', 'soon'],
  stall: NUMBERS,
  size: NUMBERS,
  reply: ['end', 'stream', 'END', ''],
  download: SWITCH,
  filename: TEXTS,
  progress: SWITCH,
  status: SWITCH,
  receive: SWITCH,
  sha256: SWITCH,
  history: SWITCH,
  transfer: TEXTS,
  sig: TEXTS,
  exp: NUMBERS,
  token: TEXTS,
}

const ACCEPTS = [
  'text/html',
  'application/json',
  'text/event-stream',
  '*/*',
  'text/html;q=0',
  ',,;q=',
  `text/html, ${'a/b, '.repeat(200)}`,
]
const TYPES = [
  'text/html',
  'image/svg+xml',
  'text/plain; charset=utf-7',
  'Text/HTML;',
  ' text/html',
  'text/html,text/plain',
  'application/xhtml+xml',
]
const DISPOSITIONS = [
  'inline',
  'attachment; filename="a.html"',
  'inline; filename="../../a"',
  "attachment; filename*=UTF-8''%0d%0a",
]

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Accept: ACCEPTS,
  'Content-Type': TYPES,
  'Content-Disposition': DISPOSITIONS,
  'X-Piping': ['a', SCRIPT, 'x'.repeat(9000)],
  'X-Hoody-Pipe': ['a', 'b', '\xe9'],
  'X-Pipe-Size': NUMBERS,
  'Content-Range': ['bytes 0-1/2'],
  Range: ['bytes=0-1', 'bytes=0-,-1'],
  'Service-Worker': ['script', ' SCRIPT '],
  'Last-Event-ID': ['abcdefghijklmnop', `a\r\n${INJECTED}: 1`, 'x'.repeat(5000)],
  Origin: ['null', 'http://evil.example', `http://a\r\n${INJECTED}: 1`, `http://"${HANDLER}`],
  'Access-Control-Request-Method': ['PUT', SCRIPT],
  'Access-Control-Request-Headers': ['x-a', `x\r\n${INJECTED}: 1`, 'x'.repeat(3000)],
  'Access-Control-Request-Private-Network': ['true'],
  Expect: ['100-continue', '100-Continue', '200-ok'],
  Connection: ['close', 'keep-alive', 'Upgrade', 'close, TE', 'Content-Length'],
  Upgrade: ['websocket', 'h2c'],
  'Sec-WebSocket-Key': ['AAAAAAAAAAAAAAAAAAAAAA=='],
  'Sec-WebSocket-Version': ['13'],
  Host: ['', 'evil.example', `"><${SCRIPT}`, 'a b', '127.0.0.1:99999'],
  'X-Forwarded-For': ['1.2.3.4', '::1, 1.2.3.4', 'x'],
  'X-Forwarded-Proto': ['https', 'javascript'],
  Forwarded: ['for=1.2.3.4;proto=https'],
  Authorization: ['Bearer x', 'Basic Og==', 'Bearer'],
  Cookie: ['a=b'],
  TE: ['trailers'],
  'X-HTTP-Method-Override': ['PUT'],
}

const NO_BODY: Body = { fields: [], bytes: '' }
/** What a sender tells its receivers, what a spectator asks for, and what is of interest to all. */
const TOLD = ['Content-Type', 'Content-Disposition', 'X-Piping', 'X-Hoody-Pipe', 'X-Pipe-Size', 'Expect', 'Origin']
const ASKED = ['Accept', 'Accept', 'Accept', 'Last-Event-ID', 'Origin', 'Host']
const OF_RECEIVERS = ['Accept', 'Origin', 'Range', 'Connection']

/** What a request is meant to be. All but `anything` get as far as their endpoints, and what they carry is hostile. */
export type Role = 'sender' | 'receiver' | 'watcher' | 'anything'

/** The bytes of one request for this name or thereabouts. */
export function requestOf(random: Random, name: string, role: Role): string {
  return role === 'anything' ? anyRequest(random, name) : seatedRequest(random, name, role)
}

function anyRequest(random: Random, name: string): string {
  const method = maybeHostile(random, random.pick(METHODS)!, 2)
  const sends = method === 'PUT' || method === 'POST' || random.chance(5)
  const body: Body = sends ? bodyOf(random) : NO_BODY
  const version = random.chance(3) ? random.pick(VERSIONS)! : 'HTTP/1.1'
  const head = headOf(random, `${method} ${targetOf(random, name)} ${version}`, someFields(random), body)
  return (random.chance(15) ? mutate(random, head) : head) + body.bytes
}

const SEATS = {
  sender: { method: 'PUT', queries: ['', '', 'wait=1', 'reply=end', 'sha256', 'size=7', 'transfer=abcdefghijklmnop'] },
  receiver: { method: 'GET', queries: ['', '', 'wait=1', 'download', 'filename='] },
  watcher: { method: 'GET', queries: ['progress', 'progress', 'status', 'progress&history', 'status&transfer='] },
} as const

function seatedRequest(random: Random, name: string, role: Exclude<Role, 'anything'>): string {
  const { method, queries } = SEATS[role]
  const picked = random.pick<string>(queries)!
  const query = picked.endsWith('=') ? picked + escaped(hostile(random)) : picked
  const names = role === 'sender' ? TOLD : role === 'watcher' ? ASKED : OF_RECEIVERS
  const fields = someFields(random, names, role === 'watcher' ? 15 : 50).filter(([, value]) => !/[\0\r\n]/.test(value))
  const body = role === 'sender' ? bodyOf(random) : NO_BODY
  // The page of a name shows it.
  const shown = role === 'watcher' && random.chance(70) ? name + escaped(random.pick(MARKUP)!) : name
  return headOf(random, `${method} /${shown}?${query} HTTP/1.1`, fields, body) + body.bytes
}

/** In a target without a space or a line break, which would end it. */
function escaped(text: string): string {
  return text.replace(/[\x00-\x20#&\\]/g, (each) => `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function headOf(random: Random, start: string, fields: Field[], body: Body): string {
  const all = shuffledIn(random, [['Host', 'fuzz'], ...fields], body.fields)
  return `${start}\r\n${all.map((field) => lineOf(random, field)).join('')}\r\n`
}

function shuffledIn(random: Random, fields: Field[], more: readonly Field[]): Field[] {
  const all = [...fields]
  for (const field of more) all.splice(random.below(all.length + 1), 0, field)
  return all
}

function targetOf(random: Random, name: string): string {
  const prefix = random.pick(['/', '/', '/api/v1/pipe/', '/API/v1/pipe/', '/api/v1/pipe/api/v1/pipe/'])
  const path = prefix + maybeHostile(random, random.chance(10) ? random.pick(RESERVED)! : name, 8)
  if (random.chance(6)) return random.pick(targetsOf(path))!
  const query = Array.from({ length: random.below(4) }, () => parameterOf(random)).join('&')
  return query === '' && random.chance(95) ? path : `${path}?${query}`
}

function parameterOf(random: Random): string {
  const names = Object.keys(PARAMETERS)
  const name = random.pick(names)!
  if (random.chance(15)) return name
  return `${maybeHostile(random, name, 3)}=${maybeHostile(random, random.pick(PARAMETERS[name]!)!, 15)}`
}

function someFields(random: Random, names: readonly string[] = Object.keys(FIELDS), percent = 15): Field[] {
  const fields = Array.from({ length: random.below(5) }, (): Field => {
    const name = random.pick(names)!
    return [name, maybeHostile(random, random.pick(FIELDS[name]!)!, percent)]
  })
  if (random.chance(2)) return Array.from({ length: random.between(90, 110) }, (_, i): Field => [`X-${i}`, ''])
  if (random.chance(2)) fields.push(['X-Long', 'x'.repeat(random.between(30_000, 70_000))])
  if (random.chance(2)) fields.push([hostile(random), hostile(random)])
  return fields
}

function lineOf(random: Random, [name, value]: Field): string {
  if (random.chance(98)) return `${name}: ${value}\r\n`
  return random.pick([
    `${name}:${value}\n`,
    `${name} : ${value}\r\n`,
    `${name}:\r\n ${value}\r\n`,
    `${name}\r\n`,
    ` ${name}: ${value}\r\n`,
  ])!
}
