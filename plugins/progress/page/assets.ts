/** What the dashboard is made of besides its text. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { asGlobal, bundle, COMMON_STYLE, styleSheet } from '../../page-kit/bundle.js'

/** Each behind those it imports from. */
const MODULES = [
  'transfer-status/format.js',
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
  'progress/page/speed-line.js',
  'page-kit/page/browser/announcer.js',
  'page-kit/page/browser/copy-button.js',
  'page-kit/page/browser/follower.js',
  'progress/page/browser/plot.js',
  'progress/page/browser/invitation.js',
  'progress/page/browser/receiver-bars.js',
  'progress/page/browser/main.js',
]

const uplot = createRequire(import.meta.url).resolve('uplot/dist/uPlot.iife.min.js')

export const STYLES: readonly string[] = [
  readFileSync(uplot.replace(/iife\.min\.js$/, 'min.css'), 'utf8'),
  COMMON_STYLE,
  styleSheet('progress/page/dashboard.css'),
]

export const SCRIPT_TEXTS: readonly string[] = [readFileSync(uplot, 'utf8'), asGlobal('uqr', 'uqr'), bundle(MODULES)]
