/** Random command lines: what was meant is what is read, however it is written, and nothing but a WrongUsage comes of the others. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { describe } from '../../../client/cli/description.js'
import { argument, list, on, single, toggle } from '../../../client/cli/flags.js'
import { readCommandLine } from '../../../client/cli/read.js'
import { choice, secret, text, whole } from '../../../client/cli/values.js'
import { WrongUsage } from '../../../client/cli/wrong-usage.js'

const seed = Number(process.env.PIPEGATE_SEED ?? Date.now() % 2 ** 31)
const RUNS = { seed, numRuns: 3000 }

const DESCRIPTION = describe({
  name: 'x',
  summary: '',
  section: 'Transfers',
  about: [],
  examples: [],
  exits: {},
  arguments: { first: argument(text('A'), ''), rest: argument(text('B'), '', { optional: true, repeated: true }) },
  flags: {
    count: single(whole(0, 999), '', { short: 'n' }),
    word: single(text('W'), '', { short: 'w' }),
    header: list(text('H'), '', { short: 'H' }),
    deep: toggle(choice('true', 'false'), ''),
    json: on('', { short: 'j' }),
    quiet: on('', { short: 'q' }),
  },
})

/** A flag as it may be written, and what it does to the values. */
interface Written {
  readonly words: readonly string[]
  readonly set: (values: Record<string, unknown>) => void
}

const anyText = fc.oneof(
  fc.string(),
  fc.constantFrom('', '-', '--', '-j', '--json', '=', 'a=b', 'no-x', '-1', '__proto__'),
)

function valued(key: string, long: string, short: string, value: string, read: unknown, isList = false): Written[] {
  const set = (values: Record<string, unknown>) => {
    values[key] = isList ? [...(values[key] as unknown[]), read] : read
  }
  const forms = [[`--${long}=${value}`]]
  // What begins with a dash has to be in the same word, and nothing cannot be behind a letter.
  if (!/^-./.test(value)) forms.push([`--${long}`, value], [`-${short}`, value])
  if (value !== '') forms.push([`-${short}${value}`], [`-j${short}${value}`])
  return forms.map((words) => ({
    words,
    set: (values) => {
      if (words[0]!.startsWith(`-j${short}`)) values.json = true
      set(values)
    },
  }))
}

const flag: fc.Arbitrary<Written> = fc.oneof(
  fc.nat(999).chain((n) => fc.constantFrom(...valued('count', 'count', 'n', String(n), n))),
  anyText.chain((word) => fc.constantFrom(...valued('word', 'word', 'w', word, word))),
  anyText.chain((word) => fc.constantFrom(...valued('header', 'header', 'H', word, word, true))),
  fc.constantFrom<Written>(
    {
      words: ['--deep'],
      set: (values) => {
        values.deep = 'true'
      },
    },
    {
      words: ['--no-deep'],
      set: (values) => {
        values.deep = 'false'
      },
    },
    {
      words: ['--deep=false'],
      set: (values) => {
        values.deep = 'false'
      },
    },
    {
      words: ['-qj'],
      set: (values) => {
        values.quiet = values.json = true
      },
    },
    {
      words: ['--quiet'],
      set: (values) => {
        values.quiet = true
      },
    },
  ),
)
const word = fc.string().filter((each) => !/^-./.test(each))

t.test(`what was meant is what is read (PIPEGATE_SEED=${seed})`, async (t) => {
  const line = fc.tuple(
    fc.array(flag),
    word,
    fc.array(word),
    fc.array(anyText, { maxLength: 3 }),
    fc.infiniteStream(fc.boolean()),
  )
  fc.assert(
    fc.property(line, ([flags, first, rest, behind, order]) => {
      const wanted: Record<string, unknown> = {
        count: undefined,
        word: undefined,
        header: [],
        deep: undefined,
        json: false,
        quiet: false,
      }
      const argv: string[] = []
      const words = [first, ...rest]
      for (const each of flags) {
        while (words.length > 0 && order.next().value) argv.push(words.shift()!)
        argv.push(...each.words)
        each.set(wanted)
      }
      argv.push(...words, ...(behind.length > 0 ? ['--', ...behind] : []))
      const read = readCommandLine(DESCRIPTION, argv) as object
      assert.deepStrictEqual({ ...read }, { ...wanted, first, rest: [...rest, ...behind] })
    }),
    RUNS,
  )
  t.pass(`${RUNS.numRuns} lines`)
})

t.test(`nothing but WrongUsage, and no secret in it (PIPEGATE_SEED=${seed})`, async (t) => {
  const secretive = describe({
    ...DESCRIPTION,
    arguments: { url: argument(secret('URL'), '') },
    flags: {
      token: single(secret('TOKEN'), '', { short: 't' }),
      header: list(secret('H'), ''),
      json: on('', { short: 'j' }),
    },
  })
  const part = fc.constantFrom(
    'SECRET',
    '-',
    '--',
    '=',
    'token',
    'tokn',
    'json',
    'j',
    't',
    'no-',
    'header',
    'help',
    ' ',
    '\u001b',
  )
  const words = fc.array(
    fc.array(part, { maxLength: 4 }).map((parts) => parts.join('')),
    { maxLength: 5 },
  )
  let refused = 0
  fc.assert(
    fc.property(words, (argv) => {
      // What stands where a flag's name does is the name of a flag that does not exist, and is shown.
      fc.pre(!argv.some((each) => /^-[^=]*SECRET/.test(each)))
      try {
        readCommandLine(secretive, argv)
      } catch (error) {
        refused++
        if (!(error instanceof WrongUsage)) throw error
        if (/SECRET|\u001b/.test(error.message)) throw new Error(`${JSON.stringify(argv)}: ${error.message}`)
      }
    }),
    RUNS,
  )
  t.ok(refused > 500, `${refused} were refused`)
})
