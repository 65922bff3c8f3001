/** Flags that mean the same in every command that has them. */
import { list, on, single } from './cli/flags.js'
import { file, seconds, secret } from './cli/values.js'

export const TOKEN = single(
  secret('TOKEN', 'the characters of a token'),
  'Bearer token. Others on this machine can see it there: the variable PIPEGATE_TOKEN is better.',
)
export const HEADER = list(
  secret("'NAME: VALUE'", "'NAME: VALUE'"),
  'Another header of every request, in place of one that would be sent otherwise.',
)
export const CACERT = single(file(), 'Certificates (PEM) to trust instead of the usual ones.')
export const CERT = single(
  file(),
  'Certificate (PEM) to show to a server that asks for one, with those between it and an authority behind it.',
)
export const KEY = single(file(), 'Private key (PEM) of --cert, if it is not in the same file.')
/** `readServer` in `server.ts` puts it before a name. */
export const SERVER = single(
  secret('URL', 'an address such as https://HOST'),
  'The gateway on which an address without http:// or https:// is a name; PIPEGATE_URL is the same.',
)
/** The longest time is what a setTimeout can wait: what is more would fire at once. */
export const TIMEOUT = single(seconds(1, 2_000_000), 'Give up after so many seconds, and exit with 3.')
export const JSON_LINES = on('Print one JSON object a line, for scripts: what happens, and the outcome.')
export const QUIET = on('Print only how it ended.', { short: 'q' })

/** The flags of those who send, receive and forward: where, as whom, and how it is told. */
export const TRANSFER_FLAGS = {
  server: SERVER,
  token: TOKEN,
  header: HEADER,
  cacert: CACERT,
  cert: CERT,
  key: KEY,
  json: JSON_LINES,
  quiet: QUIET,
} as const

/** Variables that stand in for flags. */
export const VARIABLES = {
  PIPEGATE_TOKEN: 'The token, when neither --token nor the address has credentials.',
  PIPEGATE_URL: 'The gateway, when --server is not given.',
} as const

/** The variables of those who send and receive. */
export const TRANSFER_VARIABLES = {
  ...VARIABLES,
  NO_COLOR: 'No colours.',
  HTTPS_PROXY: 'A proxy, as for curl; also HTTP_PROXY and NO_PROXY.',
} as const
