import { describe } from '../cli/description.js'
import { EXIT_CODES } from '../cli/exit-codes.js'
import { argument, single } from '../cli/flags.js'
import { seconds, secret, text } from '../cli/values.js'
import { CACERT, CERT, HEADER, JSON_LINES, KEY, QUIET, SERVER, TOKEN, VARIABLES } from '../flags.js'

export const description = describe({
  name: 'doctor',
  summary: 'tells what the way to a gateway does to transfers',
  section: 'The gateway',
  arguments: {
    url: argument(
      secret('URL', 'an address such as https://HOST'),
      'Where names live: https://HOST, or https://HOST/PREFIX for another prefix than /api/v1/pipe. Without it that of --server.',
      { optional: true },
    ),
  },
  flags: {
    origin: single(
      text('ORIGIN'),
      'The origin of pages that shall be able to use the gateway, such as https://app.example.org: finds out whether they may. A ' +
        "client in a browser needs it, unless it is the gateway's own page.",
    ),
    silence: single(seconds(1, 3600), 'How much silence is watched, 1 to 3600. A time-out beyond it is not found.', {
      fallback: '20',
    }),
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
    'Sends real transfers on names of its own through URL and what stands before the gateway there, and tells what each part of the way ' +
      'does to them, and the setting that mends it. It takes about half a minute.',
  ],
  examples: [
    {
      run: 'pipegate doctor https://pipe.example.org --silence 900',
      does: 'with time-outs of up to a quarter of an hour',
    },
    {
      run: 'pipegate doctor https://pipe.example.org --origin https://app.example.org',
      does: 'for a client in a browser',
    },
    { run: 'pipegate doctor localhost:8080 --json | tail -n 1', does: 'the result for a script' },
  ],
  exits: {
    0: 'every check is ok, or has a warning',
    1: 'a check failed',
    2: 'wrong usage, or nobody answers at URL',
    130: EXIT_CODES[130],
    141: EXIT_CODES[141],
  },
  variables: VARIABLES,
  page: 'doctor.md',
})
