import { describe } from '../cli/description.js'
import { EXIT_CODES, SIGNAL_EXITS } from '../cli/exit-codes.js'
import { argument, list, on, single } from '../cli/flags.js'
import { file, seconds, secret, text, whole } from '../cli/values.js'
import { TRANSFER_FLAGS, TRANSFER_VARIABLES } from '../flags.js'

const END_TO_END = { group: 'Encryption' }

/** `pipegate send` */
export const description = describe({
  name: 'send',
  summary: 'sends files, folders, a text or standard input',
  section: 'Transfers',
  arguments: {
    paths: argument(file('PATH'), 'Files and folders; "-", or nothing, is standard input.', {
      optional: true,
      repeated: true,
    }),
  },
  flags: {
    text: single(secret('TEXT'), 'Send this text.', { short: 't' }),
    name: single(
      text('NAME'),
      'A name, or a whole address, in place of four random words. Who guesses it can be the receiver.',
    ),
    receivers: single(whole(1, 256), 'Wait for so many receivers, who all get it.', { short: 'n', fallback: '1' }),
    live: on('A broadcast: receivers come and go while it runs.'),
    queue: on('A job: the next free worker gets it, where the server has queues.'),
    wait: single(seconds(1, 2_000_000), 'Wait so long for the receivers, and exit with 3.', {
      otherwise: 'without end',
    }),
    resume: on(
      'Ask the receiver first which files of a folder it has whole, and leave those out. It says --resume too.',
    ),
    encrypt: on(
      'Encrypt end to end, in the age format, with six words more to tell the receiver. No server sees them.',
      END_TO_END,
    ),
    recipient: list(
      text('KEY'),
      'Encrypt to the owner of this key, which begins with age1; may be given more than once.',
      {
        ...END_TO_END,
        short: 'r',
      },
    ),
    passphraseFile: single(file(), 'Encrypt with the first line of this file in place of words.', END_TO_END),
    noVerify: on('Do not compare SHA-256 digests.'),
    noQr: on('Show no QR code.'),
    ...TRANSFER_FLAGS,
  },
  about: [
    'Says a name of spoken words and a link, waits until a receiver has come, and sends. On the other machine, "pipegate receive NAME" takes it, a browser opens the link, or curl does. Nothing is stored: what leaves here arrives there, and when this command says so, it has.',
    'A file goes as it is; folders, and several paths, go as a tar archive that is made on the way. While it waits, nothing has been sent: a connection that breaks then is made again.',
    'When the server is a pipegate, the SHA-256 of what was sent is compared with what it has got, and the receiver compares its own.',
  ],
  examples: [
    { run: 'pipegate send photos/', does: 'a folder, under random words' },
    { run: 'pg_dump shop | pipegate send --name shop-tonight', does: 'what another program writes' },
    { run: 'pipegate send -n 3 release.tar', does: 'one file to three receivers at once' },
    { run: 'pipegate send --encrypt contract.pdf', does: 'end to end encrypted' },
    { run: 'pipegate send --server https://pipe.example.org report.pdf', does: 'by a gateway on another machine' },
  ],
  exits: {
    0: 'every receiver that is still there has all of it',
    1: EXIT_CODES[1],
    2: EXIT_CODES[2],
    3: 'nobody came within --wait',
    ...SIGNAL_EXITS,
  },
  variables: TRANSFER_VARIABLES,
  page: 'send-receive.md',
  ownsOutput: true,
})
