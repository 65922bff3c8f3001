/** Header values made to do harm, by hand and by chance. */

import contentDisposition from 'content-disposition'
import fc from 'fast-check'
import t from 'tap'
import { safeFileName } from '../../../gateway/stream/file-name.js'
import { safeMediaType } from '../../../gateway/stream/media-type.js'
import { disposition, type Fields, HARMLESS, headersFor, named, RUNNABLE, valuesOf } from './head-rig.js'

t.test('a sender cannot hold the event loop with a crafted value', async (t) => {
  // Sized so that an exponential or a quadratic reader needs seconds, and still ends.
  const crafted: [name: string, run: () => unknown][] = [
    ['type', () => safeMediaType(`a/b${'; '.repeat(26)}"`)],
    ['type, long', () => safeMediaType(`text/html${' ;a=b\t; c="d" '.repeat(2000)}x`)],
    ['type, spaces', () => safeMediaType(`text/html;${' '.repeat(30_000)}charset`)],
    ['name, dots', () => safeFileName(`a${'.'.repeat(60_000)}b`)],
    ['name, slashes', () => safeFileName(`${'/'.repeat(60_000)}b`)],
    ['disposition', () => disposition(`inline${'; a="\\"'.repeat(4000)}`, 'text/plain')],
  ]
  for (const [name, run] of crafted) {
    // What it costs, not how long it takes: other programs may have the processor.
    const from = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(from)
    const ms = (user + system) / 1000
    t.ok(ms < 500, `${name}: ${Math.round(ms)} ms of CPU`)
  }
})

const NASTY = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '"',
  '\\',
  '/',
  '..',
  '.',
  ' ',
  '%41',
  '%',
  ';',
  ',',
  '=',
  "'",
  '*',
  '\t',
  '\x7f',
  '\x85',
].concat([
  '\u202e',
  '\u061c',
  '😀',
  '\ud83d',
  '\ude00',
  'é',
  'ü',
  '€',
  '\ufffd',
  'filename*=',
  "UTF-8''",
  'a',
  'B',
  '7',
  'text/html',
])
const piece = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
)
const anyText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
/** As a header arrives: one character for each byte. */
const anyBytes = anyText.map((text) => Buffer.from(text, 'utf8').toString('latin1'))
const anyType = fc.oneof(
  anyBytes,
  fc
    .tuple(
      fc.constantFrom(...RUNNABLE, ...HARMLESS),
      fc.array(
        fc.constantFrom(';', ' ', ',', '"', 'charset=utf-8', 'a=b', 'a="b"', '\t', '\r\n', 'text/html', '+xml'),
        { maxLength: 6 },
      ),
    )
    .map(([type, rest]) => type + rest.join('')),
)
const anyDisposition = fc.oneof(
  anyBytes,
  fc
    .tuple(fc.constantFrom('inline', 'attachment', 'INLINE'), anyText)
    .map(([kind, name]) => `${kind}; filename="${name.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`),
  fc
    .tuple(fc.constantFrom('inline', 'attachment'), anyText)
    .map(([kind, name]) => `${kind}; filename*=UTF-8''${encodeURIComponent(name.replace(/\p{Surrogate}/gu, ''))}`),
)

/** The same every time, so that a red run can be repeated; fast-check prints the seed and the counterexample. */
const RUNS = { seed: 20_261_120, numRuns: 4000, interruptAfterTimeLimit: 800, markInterruptAsFailure: false } as const

const NO_CONTROL = /^[^\x00-\x1f\x7f]*$/
const LATIN_1 = /^[\x00-\xff]*$/

/** What must hold of every file name that we tell, without asking safeFileName(). */
function isSafe(name: string): boolean {
  const forbidden = /[\x00-\x1f\x7f-\x9f/\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]|^[. ]|[. ]$/u.test(name)
  const lone = /\p{Surrogate}/u.test(name)
  return !forbidden && !lone && name !== '' && [...name].length <= 255
}

t.test('no input breaks out of a header', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.record({
          type: anyType,
          given: anyDisposition,
          piping: fc.oneof(anyBytes, anyText),
          filename: fc.option(anyText, { nil: undefined }),
        }),
        ({ type, given, piping, filename }) => {
          const fields: Fields = [
            ['content-type', type],
            ['content-disposition', given],
            ['x-piping', piping],
          ]
          const headers = headersFor(fields, { download: undefined, filename, pipe: 'name' })
          for (const [name, value] of headers) {
            if (!NO_CONTROL.test(value) || !LATIN_1.test(value)) throw new Error(`${name}: ${JSON.stringify(value)}`)
          }
          const [told = ''] = valuesOf(headers, 'Content-Disposition')
          if (!/^(attachment|inline)?(; |$)/.test(told)) throw new Error(`disposition ${told}`)
          const { parameters } = contentDisposition.parse(told)
          if (parameters.filename !== undefined && !isSafe(parameters.filename)) throw new Error(JSON.stringify(told))
        },
      ),
      RUNS,
    ),
  )
})

t.test('every file name that is asked for comes back when the header is parsed', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyText, (filename) => {
        const safe = safeFileName(filename)
        if (!isSafe(safe)) throw new Error(`unsafe: ${JSON.stringify(safe)}`)
        if (safeFileName(safe) !== safe) throw new Error(`not the same when done again: ${JSON.stringify(safe)}`)
        const told = named(filename)
        if (!/^attachment; [\x20-\x7e]+$/.test(told)) throw new Error(`not ASCII: ${JSON.stringify(told)}`)
        const { type, parameters } = contentDisposition.parse(told)
        if (type !== 'attachment' || parameters.filename !== safe) throw new Error(`${JSON.stringify(told)} of ${safe}`)
      }),
      RUNS,
    ),
  )
})

t.test('no input leads to a type that a browser would run', async (t) => {
  const runnable = new Set(RUNNABLE)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyType, (type) => {
        const [told = 'none/none'] = valuesOf(headersFor([['content-type', type]]), 'Content-Type')
        const essence = told.split(';')[0]!.trim().toLowerCase()
        if (runnable.has(essence) || essence.endsWith('+xml')) throw new Error(`${JSON.stringify(type)} became ${told}`)
        if (!/^[^\s/,;"]+\/[^\s/,;"]+$/.test(essence) || told.includes(',')) throw new Error(`no single type: ${told}`)
      }),
      RUNS,
    ),
  )
})
