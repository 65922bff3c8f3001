import type { Description } from '../description.js'
import { argumentWords, type FlagWord, flagWords, type Offer } from './words.js'

/** Completions for fish, from 3.0 on. */
export function fishCompletion(descriptions: readonly Description[]): string {
  const names = descriptions.map(({ name }) => name)
  return `# fish completion for pipegate: put it into ~/.config/fish/completions/pipegate.fish, or source it.
set -l commands ${names.join(' ')}
complete -c pipegate -f
complete -c pipegate -n "not __fish_seen_subcommand_from $commands" -s h -l help -d 'Print the help and exit'
complete -c pipegate -n "not __fish_seen_subcommand_from $commands" -s V -l version -d 'Print the version and exit'
${descriptions.map(({ name, summary }) => `complete -c pipegate -n "not __fish_seen_subcommand_from $commands" -a ${name} -d ${quoted(summary)}`).join('\n')}
${descriptions.map((each) => commandLines(each, names)).join('\n')}
`
}

function commandLines(description: Description, names: readonly string[]): string {
  // The first word, and not any: "pipegate help watch" is about help.
  const begin = `complete -c pipegate -n "test (commandline -opc)[2] = ${description.name} 2>/dev/null"`
  const flags = flagWords(description).flatMap((flag) => flagLines(flag, names).map((line) => `${begin} ${line}`))
  const argument = argumentWords(description).find(({ offer }) => offer !== 'nothing')
  return [...flags, ...(argument === undefined ? [] : [`${begin} ${offered(argument.offer, names)}`])].join('\n')
}

function flagLines({ names: all, help, value }: FlagWord, names: readonly string[]): string[] {
  const letters = all.filter((name) => !name.startsWith('--'))
  const takes = value === undefined ? '' : ` -r ${offered(value.offer, names)}`
  return all
    .filter((name) => name.startsWith('--'))
    .map((name, i) => {
      const short = i === 0 ? letters.map((letter) => `-s ${letter.slice(1)} `).join('') : ''
      return `${short}-l ${name.slice(2)} -d ${quoted(help)}${takes}`
    })
}

function offered(offer: Offer, names: readonly string[]): string {
  if (offer === 'file') return '-F'
  if (offer === 'directory') return `-f -a '(__fish_complete_directories (commandline -ct))'`
  if (offer === 'command') return `-f -a '${names.join(' ')}'`
  return offer === 'nothing' ? '-f' : `-f -a '${offer.words.join(' ')}'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
