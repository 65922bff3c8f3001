import type { CommandResult, Program } from './command.js'
import { findCommand } from './find.js'
import { helpText, overview, usageLine } from './help.js'
import { readCommandLine } from './read.js'
import { styleOf } from './style.js'
import { WrongUsage } from './wrong-usage.js'

const WRONG_USAGE = 2
const NO_READER = 141

/** Runs what a command line says: the whole program. @returns the exit code */
export async function runProgram(program: Program, argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv
  try {
    if (first === undefined) return print({ text: await overview(program), exitCode: WRONG_USAGE })
    if (first === '--help' || first === '-h')
      return print({ text: await overview(program, styleOf(process.stdout)), exitCode: 0 })
    if (first === '--version' || first === '-V') return print({ text: `${program.version()}\n`, exitCode: 0 })
    return await runCommand(program, first, rest)
  } catch (error) {
    const { message, exitCode } = failure(error)
    return print({ text: `${program.name}: ${message}\n`, exitCode })
  }
}

async function runCommand(program: Program, name: string, argv: readonly string[]): Promise<number> {
  const command = findCommand(program, name)
  const { description } = await command.describe()
  if (!description.ownsOutput) endWithoutReader(process.stdout)
  try {
    const values = readCommandLine(description, argv)
    if (values === 'help') return print({ text: helpText(description, styleOf(process.stdout)), exitCode: 0 })
    if (values === 'version') return print({ text: `${program.version()}\n`, exitCode: 0 })
    const { run } = await command.load()
    return print(await run(values, program))
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error
    const text = `${program.name}: ${error.message}\n${usageLine(description)}\n`
    return print({ text, exitCode: WRONG_USAGE })
  }
}

function failure(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof WrongUsage) return { message: error.message, exitCode: WRONG_USAGE }
  if (!(error instanceof Error)) return { message: String(error), exitCode: 1 }
  const { exitCode } = error as { readonly exitCode?: unknown }
  return { message: error.message, exitCode: typeof exitCode === 'number' ? exitCode : 1 }
}

/** Resolves when the text has been taken, or cannot be: then the program has ended already. */
function print({ text, exitCode }: CommandResult): Promise<number> {
  if (text === '') return Promise.resolve(exitCode)
  const out = exitCode === 0 ? process.stdout : process.stderr
  endWithoutReader(out)
  return new Promise((resolve) => {
    out.write(text, () => resolve(exitCode))
  })
}

/** What a shell reports of a program that died of SIGPIPE, which Node ignores: `pipegate watch … | head -1` ends as others do. */
function endWithoutReader(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(NO_READER)
    throw error
  })
}
