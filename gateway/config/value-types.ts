import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { isHostEntry } from '../http/hosts.js'
import { isAddressOrNetwork } from '../http/trusted-proxies.js'
import type { TlsFiles } from '../tls/certificate.js'
import { parseSize, sizeText } from './sizes.js'

/** What a setting's value is: flags, the help text and printing depend on it. */
export type ValueTypeName =
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
  | 'hosts'

/**
 * The type of a setting's value. The schema takes what a flag or a variable holds (text) as well as what a YAML file
 * holds (text, number, boolean), so that a value means the same wherever it was written.
 */
export interface ValueType<T> {
  readonly name: ValueTypeName
  readonly schema: z.ZodType<T, unknown>
  /** Completes the sentence "found …, expected …". */
  readonly expected: string
  /** Stands for the value in the help text. */
  readonly metavar: string
  /** The only words that are values. */
  readonly choices?: readonly string[]
}

/** As many as the helper has room for. */
const MOST_THREADS = 64

/** Whole numbers only; `2abc`, `1.5`, `0x10` and `1e3` as text are refused, where `parseInt` would guess. */
function wholeNumber(min: number, max: number): z.ZodType<number, unknown> {
  const digits = z.string().regex(/^\d+$/).transform(Number)
  return z.union([z.number(), digits]).pipe(z.int().min(min).max(max))
}

/** An integer from `min` to `max`, both included. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  return { name: 'integer', schema: wholeNumber(min, max), expected: `an integer ${range}`, metavar: 'N' }
}

/** A number of threads; `auto` is as many as the machine has processors for this process. */
export function threads(): ValueType<number> {
  const auto = z.literal('auto').transform(() => Math.min(availableParallelism(), MOST_THREADS))
  return {
    name: 'integer',
    schema: z.union([auto, wholeNumber(1, MOST_THREADS)]),
    expected: `an integer from 1 to ${MOST_THREADS}, or auto`,
    metavar: 'N|auto',
  }
}

/** A duration in whole seconds. */
export function seconds(min: number, max: number): ValueType<number> {
  const expected = `a whole number of seconds from ${min} to ${max}`
  return { name: 'seconds', schema: wholeNumber(min, max), expected, metavar: 'SECONDS' }
}

/** A number of bytes, plain or with a unit: KiB/MiB/GiB and k/M/G are binary, kB/MB/GB decimal. */
export function bytes(min: number, max = Number.MAX_SAFE_INTEGER): ValueType<number> {
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
export function boolean(): ValueType<boolean> {
  const words = z.stringbool({ truthy: ['true', 'yes', '1', 'on'], falsy: ['false', 'no', '0', 'off'] })
  return { name: 'boolean', schema: z.union([z.boolean(), words]), expected: 'true or false', metavar: 'BOOL' }
}

/** One of a few words, spelled exactly so. */
export function choice<const T extends string>(...words: readonly [T, ...T[]]): ValueType<T> {
  return {
    name: 'choice',
    schema: z.enum(words) as unknown as z.ZodType<T, unknown>,
    expected: `one of ${words.join(', ')}`,
    metavar: words.length > 3 ? 'WORD' : words.join('|'),
    choices: words,
  }
}

/** A host name or an IP address. Whether it exists is found out when the port is opened. */
export function host(): ValueType<string> {
  const schema = z.string().regex(/^[^\s\u0000-\u001f\u007f]+$/)
  return { name: 'text', schema, expected: 'a host name or an IP address', metavar: 'HOST' }
}

// No control characters: PEM text pasted in place of its path must not reach the file system.
const path = z.string().regex(/^[^\u0000-\u001f\u007f]+$/)

/** A path in the file system. Whether the file can be read is checked when the configuration is loaded. */
export function filePath(): ValueType<string> {
  return { name: 'path', schema: path, expected: 'the path of a readable file', metavar: 'FILE' }
}

/** `a.pem:a.key,b.pem:b.key`; what is no pair is left as text, for the schema to refuse. */
function parsePairs(text: string): unknown[] {
  if (text === '') return []
  return text.split(',').map((pair) => {
    const [cert, key, ...rest] = pair.trim().split(':')
    return rest.length === 0 ? { cert, key } : pair
  })
}

/** Paths of certificates and their keys; may be empty. A list in a file may hold any path, text none with `:` or `,`. */
export function certificatePairs(): ValueType<readonly TlsFiles[]> {
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

/** A URL path, without its trailing slash; empty when it is switched off. */
export function urlPrefix(): ValueType<string> {
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

/** Names and addresses, in lower case; may be empty. Text has commas between them, a file may have a list. */
export function hosts(): ValueType<readonly string[]> {
  const entries = z.array(z.string().trim().toLowerCase().refine(isHostEntry))
  const text = z.string().transform((list) => (list.trim() === '' ? [] : list.split(',')))
  return {
    name: 'hosts',
    schema: z.union([entries, text.pipe(entries)]),
    expected: '* for all, or names and addresses with commas between them, like pipe.example.org,*.example.net',
    metavar: 'LIST',
  }
}

/** Addresses and networks, separated by commas; may be empty. */
export function networks(): ValueType<string> {
  return {
    name: 'networks',
    schema: z
      .string()
      .refine((text) => text === '' || text.split(',').every((each) => isAddressOrNetwork(each.trim()))),
    expected: 'addresses or networks with commas between them, like 10.0.0.0/8',
    metavar: 'LIST',
  }
}
