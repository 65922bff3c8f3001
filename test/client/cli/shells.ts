/** What the real shells offer for a line, with the completion that the program prints for them. */

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MAIN } from '../../support/project.js'

export type Shell = 'bash' | 'zsh' | 'fish'
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish']

/** Completes lines in a folder, by the shell itself. */
export class Completer {
  readonly #script: string

  constructor(
    readonly shell: Shell,
    readonly folder: string,
  ) {
    this.#script = join(folder, `.completion.${shell}`)
    writeFileSync(this.#script, execFileSync(process.execPath, [MAIN, 'completion', shell]))
  }

  /** What is offered for the last word, sorted. Folders have no slash. */
  offers(line: string): string[] {
    const { stdout, stderr, status } = spawnSync(this.shell, this.#arguments(line), {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, HOME: this.folder, TERM: 'xterm', LINE: line, SCRIPT: this.#script },
    })
    if (stderr.trim() !== '' || status !== 0) throw new Error(`${this.shell} exits with ${status}: ${stderr}${stdout}`)
    const words = stdout.split(/\r?\n/).map((each) => each.split('\t')[0]!.trim().replace(/\/$/, ''))
    return [...new Set(words.filter((each) => each !== ''))].sort()
  }

  /** Syntax errors, warnings. */
  problems(): string {
    const { stdout, stderr } = spawnSync(this.shell, ['-n', this.#script], { encoding: 'utf8' })
    return stdout + stderr
  }

  #arguments(line: string): string[] {
    if (this.shell === 'fish') return ['--no-config', '-c', 'source $SCRIPT; complete -C $LINE']
    if (this.shell === 'zsh') return ['-f', '-c', ZSH]
    // As readline splits them: blanks, and = as a word of its own.
    const words = line.split(/ +|(?<==)|(?==)/)
    const quoted = words.map((word) => `'${word}'`).join(' ')
    return ['--norc', '-c', `source "$SCRIPT"; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; ${BASH}`]
  }
}

const BASH = `COMP_LINE=$LINE; $(complete -p pipegate | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); printf '%s\\n' "\${COMPREPLY[@]}"`

/** An interactive zsh in a terminal of its own, whose compadd tells what it was given. */
const ZSH = `
zmodload zsh/zpty
zpty z zsh -f -i
send() { zpty -w z "$*" }
send 'PROMPT= RPROMPT=; autoload -Uz compinit && compinit -u -D; source $SCRIPT'
send 'bindkey "^I" complete-word; zstyle ":completion:*" completer _complete; setopt no_beep'
send 'begin() { print -r -- "<OFFERS>" }; done_() { print -r -- "</OFFERS>"; exit }; compprefuncs=(begin); comppostfuncs=(done_)'
send 'compadd() { if [[ \${@[1,(i)(-|--)]} == *-[OAD]\\ * ]]; then builtin compadd "$@"; return; fi; local -a hits; builtin compadd -A hits "$@"; builtin compadd "$@"; local result=$?; print -rl -- $hits; return result }'
send 'print READY'
zpty -r z found '*READY*READY*' || zpty -r z found '*READY*'
zpty -w -n z "$LINE"$'\\t'
found=
while zpty -r z piece; do found+=$piece; [[ $found == *'</OFFERS>'* ]] && break; done
found=\${found##*'<OFFERS>'}
print -r -- \${found%%'</OFFERS>'*}
`
