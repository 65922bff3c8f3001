import { FILE_OPTION, flagOf, SWITCHES, variableOf } from '../setting-names.js'
import { SETTING_KEYS, type SettingKey, settingInfo } from '../settings.js'

const HELP_WIDTH = 100
const HELP_INDENT = 33

/** Words in lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function helpEntry(flag: string, text: string): string {
  const lines = wrap(text, HELP_WIDTH - HELP_INDENT)
  return lines.map((line, i) => (i === 0 ? `  ${flag}` : '').padEnd(HELP_INDENT) + line).join('\n')
}

function settingHelp(key: SettingKey): string {
  const { name, metavar, fallback, help } = settingInfo(key)
  const flag = name === 'boolean' ? flagOf(key).replace('--', '--[no-]') : `${flagOf(key)} ${metavar}`
  return helpEntry(flag, fallback === undefined ? help : `${help} [${fallback}]`)
}

/** What `--help` prints: no line is longer than 100 characters. */
export function helpText(): string {
  const switches = Object.entries(SWITCHES).map(([name, help]) => helpEntry(flagOf(name), help))
  return [
    'Usage: pipegate serve [flags]     serves until SIGTERM or SIGINT',
    '       pipegate check [flags]     looks at the configuration and the plugins, and starts nothing',
    '       pipegate health [flags]    asks the gateway that runs with these flags whether it takes work',
    '       pipegate token [flags]     makes a token for auth-bearer',
    '       pipegate link URL [flags]  makes a signed link for links',
    '       pipegate watch URL         shows the progress of a transfer until it ends',
    '       pipegate doctor URL        tells what the way to a gateway does to transfers',
    '',
    "One HTTP request's body becomes another request's response.",
    '',
    'Flags, with their defaults in brackets:',
    ...SETTING_KEYS.map(settingHelp),
    '',
    helpEntry(`${flagOf(FILE_OPTION.key)} ${FILE_OPTION.metavar}`, FILE_OPTION.help),
    ...switches,
    '',
    ...wrap(
      `Every flag with a value is also a variable (${flagOf('logLevel')} is ${variableOf('logLevel')}) and a key of the ` +
        'configuration file (logLevel). A flag outranks a variable, a variable the file, and the file the default. ' +
        'SIZE is bytes, or a number with KiB, MiB, GiB (1024), or kB, MB, GB (1000).',
      HELP_WIDTH,
    ),
    '',
  ].join('\n')
}
