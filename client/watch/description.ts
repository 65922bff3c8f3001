import { describe } from '../cli/description.js'
import { SIGNAL_EXITS } from '../cli/exit-codes.js'
import { argument, on } from '../cli/flags.js'
import { secret } from '../cli/values.js'
import { CACERT, CERT, HEADER, JSON_LINES, KEY, QUIET, SERVER, TIMEOUT, TOKEN, VARIABLES } from '../flags.js'

export const description = describe({
  name: 'watch',
  summary: 'shows the progress of a transfer until it ends',
  section: 'Transfers',
  arguments: {
    url: argument(
      secret('URL', 'an address such as https://HOST/NAME'),
      'The name: https://HOST/NAME, or HOST/NAME for http. What its query has, such as the signature of a link, is kept.',
    ),
  },
  flags: {
    timeout: TIMEOUT,
    last: on('When nothing goes on there, exit by the outcome of the last transfer.'),
    json: JSON_LINES,
    quiet: QUIET,
    token: TOKEN,
    header: HEADER,
    cacert: CACERT,
    cert: CERT,
    key: KEY,
    server: SERVER,
  },
  about: [
    'Shows the progress of the transfer on a name until it ends: one line that redraws on a terminal, lines of text elsewhere. It takes ' +
      'no place of the transfer and none of its bytes.',
  ],
  examples: [
    { run: 'pipegate watch https://pipe.example.org/migration && ./next-step', does: 'goes on when it is complete' },
    { run: 'pipegate watch --json localhost:8080/backup | tail -n 1 > outcome.json', does: 'a record of how it went' },
    { run: 'pipegate watch --last --quiet localhost:8080/backup', does: 'how the last one ended' },
  ],
  exits: {
    0: 'the transfer is complete',
    1: 'it failed, or nobody knows any more how it ended',
    2: 'wrong usage, no such server, or the server refuses',
    3: 'it was not over after --timeout seconds',
    ...SIGNAL_EXITS,
  },
  variables: VARIABLES,
  page: 'watch.md',
})
