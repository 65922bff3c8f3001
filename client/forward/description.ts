import { describe } from '../cli/description.js'
import { EXIT_CODES, SIGNAL_EXITS } from '../cli/exit-codes.js'
import { argument, single } from '../cli/flags.js'
import { choice, seconds, text, whole } from '../cli/values.js'
import { TRANSFER_FLAGS, TRANSFER_VARIABLES } from '../flags.js'

/** `pipegate forward` */
export const description = describe({
  name: 'forward',
  summary: 'carries TCP connections through a name',
  section: 'Transfers',
  arguments: {
    name: argument(text('NAME|URL'), 'The name, the same on both machines; or its whole address.'),
  },
  flags: {
    listen: single(
      text('ADDRESS', 'PORT, HOST:PORT or unix:PATH'),
      'Accept connections here: PORT (of this machine alone), HOST:PORT or unix:PATH. Port 0 is any that is free.',
    ),
    connect: single(
      text('ADDRESS', 'PORT, HOST:PORT or unix:PATH'),
      'Connect to this service for each connection that the other machine accepts.',
    ),
    connections: single(whole(1, 4096), 'Carry so many connections at once, and reset those that come beyond.', {
      fallback: '256',
    }),
    via: single(
      choice('auto', 'duplex', 'pipes', 'ws', 'hoody-pipes'),
      "What carries the connections, the same on both machines: duplex where both sides can, else pipes (auto); only one of these; or, for Hoody's forwardTcp on the other side, its WebSockets (ws) or its two pipes (hoody-pipes), which carry one connection at a time.",
      { fallback: 'auto' },
    ),
    wait: single(seconds(1, 2_000_000), 'Wait so long for the other side, whenever it is not there, and exit with 3.', {
      otherwise: 'without end',
    }),
    ...TRANSFER_FLAGS,
  },
  about: [
    'Makes a service of one machine reachable on another, where neither can reach the other and both can reach a gateway. One says --listen, and programs connect to it there; the other says --connect, and connects to the service for each of them. Either may come first, and it goes on until it is interrupted.',
    'Each direction of a connection ends by itself. A slow reader stops the writer at the far end. When a connection breaks on its way, both ends of it are reset: it never looks as if it had ended. When the network or the gateway comes back, new connections work again.',
    'Who knows the name, and may use it on the gateway, can use the service: choose a name that is hard to guess, or tokens.',
  ],
  examples: [
    { run: 'pipegate forward --connect 5432 shop-db-7291', does: 'beside a PostgreSQL server' },
    { run: 'pipegate forward --listen 5433 shop-db-7291', does: 'at a desk, for psql -h 127.0.0.1 -p 5433' },
    {
      run: 'pipegate forward --server https://pipe.example.org --connect unix:/run/docker.sock build-host',
      does: 'a Unix socket, by a gateway on another machine',
    },
  ],
  exits: {
    0: EXIT_CODES[0],
    1: 'it failed: it cannot listen there, or the two sides have no way in common, for example',
    2: 'wrong usage, or the server refuses; somebody else does the same on this name',
    3: 'the other side was not there for --wait seconds',
    ...SIGNAL_EXITS,
  },
  variables: TRANSFER_VARIABLES,
  page: 'forward.md',
  ownsOutput: true,
})
