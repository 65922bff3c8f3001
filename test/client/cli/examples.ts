/** What the examples of a description run. */

/**
 * The command lines of pipegate in a line for a shell: the words behind each `pipegate`. It knows quotes, pipes, lists, redirections and
 * `$(…)`, which is what examples have.
 */
export function commandLines(shell: string): string[][] {
  return [...shell.matchAll(/\bpipegate ((?:'[^']*'|"[^"]*"|[^|&;()<>"'\n])+)/g)].map(([, line]) =>
    [...line!.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, '')),
  )
}
