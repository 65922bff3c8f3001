/** What the pages are made of besides their text. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { bundle, COMMON_STYLE, styleSheet } from '../../page-kit/bundle.js'

export const STYLES: readonly string[] = [COMMON_STYLE, styleSheet('pages/page/pages.css')]

/** What both pages have, each behind those it imports from. */
const SHARED = [
  'transfer-status/format.js',
  'transfer-status/idle.js',
  'transfer-status/live-figures.js',
  'page-kit/page/phase.js',
  'page-kit/page/sentence.js',
  'page-kit/page/figures.js',
  'page-kit/page/view.js',
  'page-kit/page/icon.js',
  'page-kit/page/display-state.js',
  'page-kit/page/browser/announcer.js',
  'page-kit/page/browser/copy-button.js',
  'page-kit/page/browser/follower.js',
  'pages/page/sender-status.js',
  'pages/page/browser/document.js',
  'pages/page/browser/live-transfer.js',
  'pages/page/browser/status-card.js',
]

/** A CommonJS module without imports, as a global variable of a page. */
function asGlobal(name: string, module: string): string {
  const text = readFileSync(createRequire(import.meta.url).resolve(module), 'utf8')
  return `const ${name} = (() => { const exports = {};\n${text}\nreturn exports })()`
}

export const SEND_SCRIPTS: readonly string[] = [
  asGlobal('uqr', 'uqr'),
  bundle([
    ...SHARED,
    'pages/wordlist.js',
    'pages/name.js',
    'pages/page/browser/upload.js',
    'pages/page/browser/send-form.js',
    'pages/page/browser/share.js',
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
