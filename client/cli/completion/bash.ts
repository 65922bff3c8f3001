import type { Description } from '../description.js'
import { argumentWords, flagWords, type Offer } from './words.js'

/**
 * A completion function for bash, from 4.2 on (macOS has 3.2, which lacks `compopt`: there files are completed without it). It needs nothing of
 * the package bash-completion.
 */
export function bashCompletion(descriptions: readonly Description[]): string {
  return `# bash completion for pipegate: source it, or put it into /etc/bash_completion.d or
# ~/.local/share/bash-completion/completions/pipegate
_pipegate_files() {
  # Files, and what readline does for them: a slash behind folders, quotes around blanks.
  compopt -o filenames 2>/dev/null
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$2"))
}

_pipegate() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} flags=''
  local commands='${descriptions.map(({ name }) => name).join(' ')}'
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$commands --help --version" -- "$cur"))
    return
  fi
  # --flag=value comes as three words, since = separates words.
  if [ "$cur" = = ]; then cur=''; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case $command in
${descriptions.map(commandCase).join('\n')}
  *) return ;;
  esac
  case $cur in
  -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
  esac
}
complete -F _pipegate pipegate
`
}

function commandCase(description: Description): string {
  const flags = flagWords(description)
  const cases = flags.flatMap(({ names, value }) =>
    value === undefined ? [] : [`    ${names.join('|')}) ${offer(value.offer)}; return ;;`],
  )
  const values = cases.length === 0 ? [] : ['    case $prev in', ...cases, '    esac']
  // Words that are no flags are not counted: all arguments of a command are offered what the first one is that shells know.
  const argument = argumentWords(description).find((each) => each.offer !== 'nothing')
  const offered = argument === undefined ? [] : [`    case $cur in -*) ;; *) ${offer(argument.offer)}; return ;; esac`]
  const words = flags.flatMap(({ names }) => names).join(' ')
  return [`  ${description.name})`, `    flags='${words}'`, ...values, ...offered, '    ;;'].join('\n')
}

function offer(what: Offer): string {
  if (what === 'file') return '_pipegate_files -f "$cur"'
  if (what === 'directory') return '_pipegate_files -d "$cur"'
  if (what === 'command') return 'COMPREPLY=($(compgen -W "$commands" -- "$cur"))'
  // A value that nobody can guess: nothing, and not the flags either.
  if (what === 'nothing') return ':'
  return `COMPREPLY=($(compgen -W "${what.words.join(' ')}" -- "$cur"))`
}
