/** A folder, or a file, of which it is written down what its code may touch. */
export interface Room {
  /** From the root of the project. A module belongs to the room with the longest path that it begins with. */
  readonly path: string
  /** What happens there, in one sentence without its full stop. */
  readonly purpose: string
  /** Rooms, or single files of them, that it may import. */
  readonly imports: readonly string[]
  /** Packages and `node:` modules that only this room may import. */
  readonly owns?: readonly string[]
  /** May import `node:` modules and packages. */
  readonly libraries: boolean
}

const API = 'gateway/host/plugin-api.ts'
const CORE = 'core/index.ts'

/** Every room, from the bottom to the top: nothing imports what stands below it in this list but as the list says. */
export const ROOMS: readonly Room[] = [
  {
    path: 'core',
    purpose:
      'Pairing, state and flow: a connection is a `Source` or a `Sink` here, time is a clock that somebody else turns',
    imports: [],
    libraries: false,
  },
  {
    path: 'gateway/http',
    purpose: 'What a request says and what it is answered, whatever carries it',
    imports: [CORE],
    libraries: true,
  },
  {
    path: 'gateway/stream',
    purpose: 'What a stream is called and how it is found in a body: type, file name, digest, the file in a form',
    imports: [CORE, 'gateway/http'],
    libraries: true,
  },
  {
    path: 'gateway/log',
    purpose: 'The log: one line for a request, one for a transfer',
    imports: [CORE, 'gateway/http'],
    libraries: true,
  },
  {
    path: 'gateway/tls',
    purpose: 'Certificates: read, checked, and read again when their files change',
    imports: ['gateway/log'],
    libraries: true,
  },
  {
    path: 'gateway/config',
    purpose: 'Settings: what there is, where it comes from, and what is wrong with it',
    imports: ['gateway/http', 'gateway/tls'],
    libraries: true,
  },
  {
    path: 'gateway/host',
    purpose: 'Plugins: the public API, and what loads, orders, asks and stops them',
    imports: [CORE, 'gateway/http', 'gateway/stream', 'gateway/log', 'gateway/config'],
    libraries: true,
  },
  {
    path: 'gateway/router',
    purpose: 'From a request to its place on a name, or to its answer',
    imports: [CORE, 'gateway/http', 'gateway/stream', 'gateway/host'],
    libraries: true,
  },
  {
    path: 'gateway/native',
    purpose:
      'What the kernel can do and uWebSockets.js does not offer: the helper in C, and the TypeScript that speaks to it',
    imports: [CORE],
    libraries: true,
  },
  {
    path: 'gateway/uws',
    purpose: 'All that knows uWebSockets.js: exchanges, bodies that are read, responses that are written',
    imports: [
      CORE,
      'gateway/http',
      'gateway/stream',
      'gateway/tls',
      'gateway/host',
      'gateway/router',
      'gateway/native',
    ],
    owns: ['uWebSockets.js'],
    libraries: true,
  },
  {
    path: 'gateway/serve',
    purpose: 'One gateway, put together: start, drain, stop, health',
    imports: [
      CORE,
      'gateway/http',
      'gateway/log',
      'gateway/tls',
      'gateway/config',
      'gateway/host',
      'gateway/router',
      'gateway/native',
      'gateway/uws',
    ],
    libraries: true,
  },
  {
    path: 'gateway/commands',
    purpose: 'The commands that take the configuration: `serve`, `check`, `health`',
    imports: ['client/cli', 'gateway/http', 'gateway/config', 'gateway/host', 'gateway/log', 'gateway/serve'],
    libraries: true,
  },
  {
    path: 'plugins/transfer-status',
    purpose: 'What `?progress` and `?status` say: the JSON, and the wording of its figures',
    imports: [],
    libraries: false,
  },
  {
    path: 'plugins/page-kit',
    purpose:
      'What the pages of several plugins share: style, scripts, the texts of a transfer, the follower of its events',
    imports: ['plugins/transfer-status'],
    libraries: true,
  },
  {
    path: 'plugins/grants',
    purpose:
      'What the plugins share that let clients in by what they present: what that allows, and the list of it in a file',
    imports: [API],
    libraries: true,
  },
  {
    path: 'plugins',
    purpose: 'What is not pairing and moving bytes, a folder each; `bundled.ts` lists them',
    imports: [API, 'plugins/page-kit', 'plugins/transfer-status', 'plugins/grants'],
    libraries: true,
  },
  {
    path: 'client/cli',
    purpose: 'Commands as data: what reads their command lines, and prints their help, man pages and completion',
    imports: [
      'gateway/config/problems/did-you-mean.ts',
      'gateway/config/problems/show.ts',
      'gateway/config/setting-names.ts',
    ],
    libraries: true,
  },
  {
    path: 'client',
    purpose:
      'The commands that people run against a gateway: `send`, `receive`, `forward`, `watch`, `doctor`, `token`, `link`',
    imports: [
      'client/cli',
      'gateway/http/address.ts',
      'gateway/http/parameters.ts',
      'gateway/stream/disposition.ts',
      'gateway/stream/file-name.ts',
      'plugins/pages/name.ts',
      'plugins/progress/meter.ts',
      'plugins/transfer-status',
      'plugins/links/signature.ts',
      'plugins/links/link-text.ts',
      'plugins/links/secret.ts',
      'plugins/auth-bearer/entries.ts',
      'plugins/auth-bearer/new-token.ts',
      'plugins/pages/wordlist.ts',
    ],
    libraries: true,
  },
  {
    path: 'gateway/program.ts',
    purpose: 'The program: gateway, bundled plugins and commands, put together',
    imports: [
      'gateway/commands',
      'gateway/serve/package-version.ts',
      'plugins/bundled.ts',
      'client/cli',
      'client/commands.ts',
    ],
    libraries: false,
  },
  {
    path: 'gateway/thread.ts',
    purpose: 'What each of several threads runs: gateway and bundled plugins, put together',
    imports: ['gateway/serve', 'gateway/host', 'plugins/bundled.ts'],
    libraries: false,
  },
  {
    path: 'gateway/main.ts',
    purpose: 'Runs it',
    imports: ['gateway/program.ts', 'client/cli'],
    libraries: false,
  },
]

/** The room that a module stands in; undefined when it is a library. */
export function roomOf(path: string): Room | undefined {
  const fitting = ROOMS.filter((room) => path === room.path || path.startsWith(`${room.path}/`))
  return fitting.sort((a, b) => b.path.length - a.path.length)[0]
}
