import { z } from 'zod'
import { isAddressOrNetwork } from '../http/trusted-proxies.js'
import type { TlsFiles } from '../tls/certificate.js'

/** What a setting's value is made of; flags, help and rendering look at it. */
export type KindName =
  | 'integer'
  | 'seconds'
  | 'bytes'
  | 'boolean'
  | 'choice'
  | 'text'
  | 'path'
  | 'pairs'
  | 'prefix'
  | 'networks'

/**
 * One way of writing a value. The schema takes what a flag or a variable holds (text) as well as what a YAML file
 * holds (text, number, boolean), so that a value means the same wherever it was written.
 */
export interface Kind<T> {
  readonly name: KindName
  readonly schema: z.ZodType<T, unknown>
  /** Completes the sentence "found …, expected …". */
  readonly expected: string
  /** Stands for the value in the help text. */
  readonly metavar: string
}

/** Whole numbers only; `2abc`, `1.5`, `0x10` and `1e3` as text are refused, where `parseInt` would guess. */
function wholeNumber(min: number, max: number): z.ZodType<number, unknown> {
  const digits = z.string().regex(/^\d+$/).transform(Number)
  return z.union([z.number(), digits]).pipe(z.int().min(min).max(max))
}

/** An integer from `min` to `max`, both included. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  return { name: 'integer', schema: wholeNumber(min, max), expected: `an integer ${range}`, metavar: 'N' }
}

/** A duration in whole seconds. */
export function seconds(min: number, max: number): Kind<number> {
  const expected = `a whole number of seconds from ${min} to ${max}`
  return { name: 'seconds', schema: wholeNumber(min, max), expected, metavar: 'SECONDS' }
}

const KiB = 1024
const MiB = 1024 ** 2
const GiB = 1024 ** 3

// A bare letter is binary, as in nginx, curl and docker; only the spelled-out kB, MB and GB are decimal.
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: KiB,
  kib: KiB,
  kb: 1000,
  m: MiB,
  mib: MiB,
  mb: 1000 ** 2,
  g: GiB,
  gib: GiB,
  gb: 1000 ** 3,
}

/** Bytes of `1048576`, `1MiB`, `1 MB`, `64k`; NaN when it is not a size. Letter case does not matter. */
function parseSize(text: string): number {
  const match = /^(\d+) ?([kmg]i?b|[kmgb]|)$/i.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!.toLowerCase()]!
}

/** The shortest exact way to write a number of bytes, readable by {@link bytes}: `1MiB`, `1000000`. */
export function sizeText(size: number): string {
  for (const [unit, factor] of [['GiB', GiB] as const, ['MiB', MiB] as const, ['KiB', KiB] as const]) {
    if (size > 0 && size % factor === 0) return `${size / factor}${unit}`
  }
  return String(size)
}

/** A number of bytes, plain or with a unit: KiB/MiB/GiB and k/M/G are binary, kB/MB/GB decimal. */
export function bytes(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range =
    max === Number.MAX_SAFE_INTEGER ? `of at least ${sizeText(min)}` : `from ${sizeText(min)} to ${sizeText(max)}`
  return {
    name: 'bytes',
    schema: z.union([z.number(), z.string().transform(parseSize)]).pipe(z.int().min(min).max(max)),
    expected: `a size ${range} (bytes, or a number with KiB, MiB, GiB, kB, MB or GB)`,
    metavar: 'SIZE',
  }
}

/** `true`/`false`, `yes`/`no`, `1`/`0`, `on`/`off`, in any letter case. */
export function boolean(): Kind<boolean> {
  const words = z.stringbool({ truthy: ['true', 'yes', '1', 'on'], falsy: ['false', 'no', '0', 'off'] })
  return { name: 'boolean', schema: z.union([z.boolean(), words]), expected: 'true or false', metavar: 'BOOL' }
}

/** One of a few words, spelled exactly so. */
export function choice<const T extends string>(...words: readonly [T, ...T[]]): Kind<T> {
  return {
    name: 'choice',
    schema: z.enum(words) as unknown as z.ZodType<T, unknown>,
    expected: `one of ${words.join(', ')}`,
    metavar: words.length > 3 ? 'WORD' : words.join('|'),
  }
}

/** A host name or an IP address; what it means is for the socket to say. */
export function host(): Kind<string> {
  const schema = z.string().regex(/^[^\s\u0000-\u001f\u007f]+$/)
  return { name: 'text', schema, expected: 'a host name or an IP address', metavar: 'HOST' }
}

// No control characters: a PEM text in the place of its path must not get as far as being looked for.
const path = z.string().regex(/^[^\u0000-\u001f\u007f]+$/)

/** A path in the file system. Whether the file can be read is asked when the configuration is loaded. */
export function filePath(): Kind<string> {
  return { name: 'path', schema: path, expected: 'the path of a readable file', metavar: 'FILE' }
}

/** `a.pem:a.key,b.pem:b.key`; what is no pair stays, for the schema to refuse. */
function parsePairs(text: string): unknown[] {
  if (text === '') return []
  return text.split(',').map((pair) => {
    const [cert, key, ...rest] = pair.trim().split(':')
    return rest.length === 0 ? { cert, key } : pair
  })
}

/** Paths of certificates and their keys, none when empty. A list in a file may hold any path, text none with `:` or `,`. */
export function certificatePairs(): Kind<readonly TlsFiles[]> {
  const pairs = z.array(z.strictObject({ cert: path, key: path }))
  return {
    name: 'pairs',
    schema: z.union([pairs, z.string().transform(parsePairs).pipe(pairs)]),
    expected: 'CERT:KEY pairs of paths with commas between them, or in a file a list of {cert, key}',
    metavar: 'LIST',
  }
}

// RFC 3986 pchar without percent-escapes: names are compared raw, so an escaped prefix would match one spelling only.
const SEGMENTS = /^(?:\/(?!\.{1,2}(?:\/|$))[\w\-.~!$&'()*+,;=:@]+)+$/

function normalisePrefix(text: string): string {
  return text.toLowerCase() === 'off' ? '' : text.replace(/(?<!^)\/$/, '')
}

/** A URL path, without its trailing slash; the empty text when it is switched off. */
export function urlPrefix(): Kind<string> {
  return {
    name: 'prefix',
    schema: z
      .string()
      .transform(normalisePrefix)
      .pipe(z.union([z.literal(''), z.string().regex(SEGMENTS)])),
    expected: 'off, or a path such as /api/v1/pipe without query, percent-escapes, empty or dot segments',
    metavar: 'PATH|off',
  }
}

/** Addresses and networks, separated by commas; none when empty. */
export function networks(): Kind<string> {
  return {
    name: 'networks',
    schema: z
      .string()
      .refine((text) => text === '' || text.split(',').every((each) => isAddressOrNetwork(each.trim()))),
    expected: 'addresses or networks with commas between them, like 10.0.0.0/8',
    metavar: 'LIST',
  }
}
