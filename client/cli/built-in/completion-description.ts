import { describe } from '../description.js'
import { argument } from '../flags.js'
import { choice } from '../values.js'

export const description = describe({
  name: 'completion',
  summary: 'prints what teaches a shell to complete commands and flags',
  section: 'Finding out',
  arguments: { shell: argument({ ...choice('bash', 'zsh', 'fish'), metavar: 'SHELL' }, 'bash, zsh or fish.') },
  flags: {},
  about: [
    'Prints a script that completes commands, flags, their choices, and files where files are expected. Load it when the shell starts, or ' +
      'save it where the shell looks for completions. It has to be made anew after an update.',
  ],
  examples: [
    { run: '. <(pipegate completion bash)', does: 'in ~/.bashrc' },
    { run: '. <(pipegate completion zsh)', does: 'in ~/.zshrc, behind compinit' },
    { run: 'pipegate completion fish > ~/.config/fish/completions/pipegate.fish', does: 'once' },
  ],
  exits: { 0: 'done', 2: 'wrong usage' },
  page: 'cli.md',
})
