import { describe } from '../../client/cli/description.js'
import { flagOf, variableOf } from '../config/setting-names.js'
import { SETTINGS_FLAGS } from './settings-flags.js'

const SOURCES =
  `Every flag with a value is also a variable (${flagOf('logLevel')} is ${variableOf('logLevel')}) and a key of the configuration ` +
  'file (logLevel). A flag outranks a variable, a variable the file, and the file the default. ' +
  'SIZE is bytes, or a number with KiB, MiB, GiB (1024), or kB, MB, GB (1000).'

const COMMON = { section: 'The gateway', arguments: {}, flags: SETTINGS_FLAGS, page: 'configuration.md' } as const

/** `pipegate serve` */
export const SERVE = describe({
  ...COMMON,
  name: 'serve',
  summary: 'starts a gateway, which serves until SIGTERM or SIGINT',
  about: [
    'Starts the gateway, and serves until SIGTERM or SIGINT. Then it takes nothing new, and what runs may go on for --drain ' +
      'seconds; a second signal stops it at once. SIGHUP reads certificates and the configuration file again.',
    SOURCES,
  ],
  examples: [
    { run: 'pipegate serve', does: 'on http://127.0.0.1:8080, with the defaults' },
    { run: 'pipegate serve --host 0.0.0.0 --hosts pipe.example.org --port 80', does: 'for others, under a name' },
    { run: 'pipegate serve --config pipegate.yaml --print-config', does: 'what a file, variables and flags come to' },
  ],
  exits: {
    0: 'stopped, and nothing was cut but what had its --drain seconds',
    1: 'the configuration is wrong, the start failed, or a second signal came',
    2: 'wrong usage',
  },
  ownsOutput: true,
})

/** `pipegate check` */
export const CHECK = describe({
  ...COMMON,
  name: 'check',
  summary: 'looks at the configuration and the plugins, and starts nothing',
  about: [
    'Does all that serve does before it starts anything: reads the configuration and the certificates, loads the plugins and sets ' +
      'them up. Prints the plugins in their order.',
    SOURCES,
  ],
  examples: [
    { run: 'pipegate check --config pipegate.yaml', does: 'before a restart' },
    { run: 'pipegate check --print-config', does: 'where each value comes from' },
  ],
  exits: { 0: 'serve would start', 1: 'it would not, and why is on standard error', 2: 'wrong usage' },
})

/** `pipegate health` */
export const HEALTH = describe({
  ...COMMON,
  name: 'health',
  summary: 'asks the gateway that runs with these flags whether it takes work',
  about: [
    'Asks the gateway of this machine that runs with the same flags, variables and file: for supervisors that can only run a command. ' +
      'An answer has to come within five seconds.',
    SOURCES,
  ],
  examples: [
    { run: 'pipegate health', does: 'the gateway on port 8080' },
    { run: 'pipegate health --config /etc/pipegate/pipegate.yaml || systemctl restart pipegate', does: 'in a script' },
  ],
  exits: { 0: 'it takes work', 1: 'it drains, or there is no answer', 2: 'wrong usage' },
})
