import { helpText, usageLine } from './cli/help.js'
import { readCommandLine } from './cli/read.js'
import { WrongUsage } from './cli/wrong-usage.js'

// biome-ignore lint/suspicious/noExplicitAny: until the program runs by descriptions
export function bridge(description: any, run: any) {
  return async (argv: readonly string[]) => {
    try {
      const values = readCommandLine(description, argv)
      if (values === 'help') return { text: helpText(description), exitCode: 0 }
      return await run(values, undefined)
    } catch (error) {
      if (!(error instanceof WrongUsage)) throw error
      return { text: `pipegate: ${error.message}\n${usageLine(description)}\n`, exitCode: 2 }
    }
  }
}
