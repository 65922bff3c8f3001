import type { Description } from '../description.js'
import { type ArgumentWord, argumentWords, type FlagWord, flagWords, type Offer } from './words.js'

/** A completion function for zsh: `_arguments` does the work, with a description beside each word. */
export function zshCompletion(descriptions: readonly Description[]): string {
  return `#compdef pipegate
# zsh completion for pipegate: put it as _pipegate into a folder of $fpath, or source it after compinit.
_pipegate_commands() {
  local -a commands=(
${descriptions.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  _describe -t commands command commands
}

_pipegate() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[Print the help and exit]' '(- *)'{-V,--version}'[Print the version and exit]' \\
    '1:command:_pipegate_commands' '*::argument:->arguments'
  [[ $state == arguments ]] || return
  case $line[1] in
${descriptions.map(commandCase).join('\n')}
  esac
}

# As an autoloaded file it is called at once; sourced, it is registered.
if [ "$funcstack[1]" = _pipegate ]; then _pipegate "$@"; else compdef _pipegate pipegate; fi
`
}

function commandCase(description: Description): string {
  const specs = [...flagWords(description).flatMap(flagSpecs), ...argumentSpecs(argumentWords(description))]
  return [
    `  ${description.name})`,
    '    _arguments -s -S \\',
    ...specs.map((spec, i) => `      ${spec}${i < specs.length - 1 ? ' \\' : ''}`),
    '    ;;',
  ].join('\n')
}

function flagSpecs({ names, help, value, repeated }: FlagWord): string[] {
  const text = `[${escaped(help, '[]:')}]`
  return names.map((name) => {
    // What excludes what: each other, or nothing for a flag that may be given again.
    const excluded = repeated ? '*' : names.includes('--help') ? '(- *)' : `(${names.join(' ')})`
    if (value === undefined) return quoted(excluded + name + text)
    // "=" also takes the value from the next word; a letter takes it from the same one.
    return quoted(
      `${excluded}${name}${name.startsWith('--') ? '=' : '+'}${text}:${escaped(value.metavar, ':')}:${action(value.offer)}`,
    )
  })
}

function argumentSpecs(wanted: readonly ArgumentWord[]): string[] {
  const repeated = wanted.findIndex((each) => each.repeated)
  return wanted
    .map((each, i) => {
      const message = `${escaped(each.metavar, ':')}:${action(each.offer)}`
      // Places behind a repeated one cannot be counted from the left.
      if (i === repeated || (repeated >= 0 && i > repeated)) return quoted(`*:${message}`)
      return quoted(`${i + 1}:${each.optional ? ':' : ''}${message}`)
    })
    .filter((spec, i, all) => all.indexOf(spec) === i)
}

function action(offer: Offer): string {
  if (offer === 'file') return '_files'
  if (offer === 'directory') return '_files -/'
  if (offer === 'command') return '_pipegate_commands'
  return offer === 'nothing' ? ' ' : `(${offer.words.join(' ')})`
}

function escaped(text: string, special: string): string {
  return [...text].map((char) => (char === '\\' || special.includes(char) ? `\\${char}` : char)).join('')
}

/** One word of zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
