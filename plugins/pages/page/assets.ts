/** What the pages are made of besides their text. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { asGlobal, bundle, COMMON_STYLE, styleSheet } from '../../page-kit/bundle.js'

export const STYLES: readonly string[] = [COMMON_STYLE, styleSheet('pages/page/pages.css')]

/** What both pages have, each behind those it imports from. */
const SHARED = [
  'transfer-status/format.js',
  'transfer-status/idle.js',
  'transfer-status/live-figures.js',
  'transfer-status/counted.js',
  'transfer-status/ask-figures.js',
  'transfer-status/duplex-figures.js',
  'transfer-status/queue-figures.js',
  'page-kit/page/phase.js',
  'page-kit/page/sentence.js',
  'page-kit/page/figures.js',
  'page-kit/page/view.js',
  'page-kit/page/icon.js',
  'page-kit/page/display-state.js',
  'page-kit/page/browser/elements.js',
  'page-kit/page/browser/credentials.js',
  'page-kit/page/browser/announcer.js',
  'page-kit/page/browser/copy-button.js',
  'page-kit/page/browser/follower.js',
  'pages/page/sender-status.js',
  'pages/page/browser/live-transfer.js',
  'pages/page/browser/status-card.js',
]

/** An ECMAScript module that imports nothing and exports in its last statement, as a global variable of a page. */
function moduleAsGlobal(name: string, module: string): string {
  const text = readFileSync(fileURLToPath(import.meta.resolve(module)), 'utf8')
  const [whole, names] = /export\s*\{([^}]*)\};?\s*$/.exec(text) ?? []
  if (whole === undefined) throw new TypeError(`${module} does not end with its exports.`)
  const returned = names!.replace(/(\w+) as (\w+)/g, '$2: $1')
  return `const ${name} = (() => {\n${text.slice(0, -whole.length)}\nreturn {${returned}} })()`
}

export const SEND_SCRIPTS: readonly string[] = [
  asGlobal('uqr', 'uqr'),
  moduleAsGlobal('zip', 'client-zip'),
  bundle([
    ...SHARED,
    'pages/wordlist.js',
    'pages/name.js',
    'pages/guessing.js',
    'pages/page/places.js',
    'pages/page/bundle-of-files.js',
    'pages/page/browser/upload.js',
    'pages/page/browser/items.js',
    'pages/page/browser/archive.js',
    'pages/page/browser/preparation.js',
    'pages/page/browser/file-list.js',
    'pages/page/browser/drops.js',
    'pages/page/browser/prefill.js',
    'pages/page/browser/send-form.js',
    'pages/page/browser/share.js',
    'pages/page/browser/have-name.js',
    'pages/page/browser/attempt.js',
    'pages/page/browser/send.js',
  ]),
]

export const RECEIVE_SCRIPTS: readonly string[] = [
  bundle([
    ...SHARED,
    'pages/page/contents.js',
    'pages/page/receiver-status.js',
    'pages/page/browser/save.js',
    'pages/page/browser/receive.js',
  ]),
]
