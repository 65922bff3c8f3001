import { describe } from '../cli/description.js'
import { list, single } from '../cli/flags.js'
import { text } from '../cli/values.js'

export const description = describe({
  name: 'token',
  summary: 'makes a token, and its entry for the configuration',
  section: 'Access',
  arguments: {},
  flags: {
    name: single(text('NAME'), 'What it is called in logs and in the configuration. Without it a name is made.'),
    project: single(text('PROJECT'), 'The project whose names it may use.'),
    rights: single(text('LIST'), 'Any of send, receive, watch, with commas between them; without it all of them.'),
    names: list(
      text('PATTERN'),
      'Names that it may use, such as artifacts/**, with commas between them; without it all of them.',
    ),
  },
  about: [
    'Prints a new token of 256 random bits, and the entry that makes it known to the gateway: for "tokens" of the plugin auth-bearer, ' +
      'or for its file. The entry has only a hash of it. The token itself is stored nowhere.',
  ],
  examples: [
    { run: 'pipegate token --name alice', does: 'a token that may do everything' },
    {
      run: "pipegate token --name ci --project builds --rights send,receive --names 'artifacts/**,logs/*'",
      does: 'a token for some names of a project',
    },
  ],
  exits: { 0: 'done', 2: 'wrong usage' },
  page: 'plugins/auth-bearer.md',
})
