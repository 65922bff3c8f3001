import { describe } from '../cli/description.js'
import { EXIT_CODES, SIGNAL_EXITS } from '../cli/exit-codes.js'
import { argument, list, on, single } from '../cli/flags.js'
import { file, seconds, text, whole } from '../cli/values.js'
import { TRANSFER_FLAGS, TRANSFER_VARIABLES } from '../flags.js'

/** `pipegate receive` */
export const description = describe({
  name: 'receive',
  summary: 'takes what somebody sends under a name',
  section: 'Transfers',
  arguments: {
    name: argument(
      text('NAME|URL'),
      'The words that the sender was told, all of them when it is encrypted; or the link.',
    ),
  },
  flags: {
    output: single(file('PATH'), 'Write it there: a file, a folder, or "-" for standard output.', { short: 'o' }),
    receivers: single(whole(1, 256), 'As many as the sender waits for with its -n.', { short: 'n', fallback: '1' }),
    live: on('Join a broadcast.'),
    queue: on('Take one job from a queue, where the server has them.'),
    wait: single(seconds(1, 2_000_000), 'Wait so long for the sender, and exit with 3.', { otherwise: 'without end' }),
    overwrite: on('Replace what is there, without asking.'),
    resume: on(
      'Go on where the last try was cut off: at the rest of a file, or at the files that a folder lacks, whose sender says --resume too.',
    ),
    identity: list(file(), 'Decrypt with the keys in this file, as age-keygen writes it.', {
      group: 'Encryption',
      short: 'i',
    }),
    passphraseFile: single(file(), 'Decrypt with the first line of this file.', { group: 'Encryption' }),
    noVerify: on('Do not compare SHA-256 digests.'),
    ...TRANSFER_FLAGS,
  },
  about: [
    'Waits until somebody sends, and takes it. Files keep their name, time and permissions; folders are unpacked into the current folder. A text, and what comes from another program, goes to standard output.',
    'Until all of it has come and has been verified, a file is called NAME.part, and a folder too. Nothing is written outside of the current folder, or of the one that --output names. What is there already is replaced only when you say so; without a terminal to ask on, the file gets another name, such as "photo (1).jpg".',
  ],
  examples: [
    { run: 'pipegate receive amber-otter-lantern-maple-407', does: 'by the words that the sender was told' },
    { run: 'pipegate receive https://pipe.example.org/release -o release.tar', does: 'by an address, into this file' },
    {
      run: "pipegate receive 'holidays#lantern-maple-canyon-velvet-orbit-tulip'",
      does: 'what is encrypted, under a name of its own',
    },
    { run: 'pipegate receive shop-tonight -o - | psql shop', does: 'into another program' },
  ],
  exits: {
    0: 'all of it is here, and verified where the server can',
    1: EXIT_CODES[1],
    2: EXIT_CODES[2],
    3: 'nobody sent within --wait',
    ...SIGNAL_EXITS,
  },
  variables: TRANSFER_VARIABLES,
  page: 'send-receive.md',
  ownsOutput: true,
})
