/**
 * A command line that cannot be understood, or that asks for what cannot be. The message says what was found and what to do, and
 * never a value that may be a secret. The program prints it with the command's usage, and exits with 2.
 */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}
