/** What the page is made of besides its text, read once: it carries everything itself. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'

/** `npm run build` compiles the script with the libraries of a browser, into a folder of its own. */
const SCRIPTS = new URL('../../../browser/plugins/progress/', import.meta.url)

/** Each behind those it imports from. */
const MODULES = [
  'format.js',
  'page/view.js',
  'page/icon.js',
  'page/shown.js',
  'page/speed-line.js',
  'page/browser/announcer.js',
  'page/browser/follower.js',
  'page/browser/plot.js',
  'page/browser/main.js',
]

const uplot = createRequire(import.meta.url).resolve('uplot/dist/uPlot.iife.min.js')

export const STYLES: readonly string[] = [
  readFileSync(uplot.replace(/iife\.min\.js$/, 'min.css'), 'utf8'),
  readFileSync(new URL('../../../../plugins/progress/page/dashboard.css', import.meta.url), 'utf8'),
]

export const SCRIPT_TEXTS: readonly string[] = [readFileSync(uplot, 'utf8'), joined(MODULES)]

/** The modules as one script: what stands in the page itself has no address to import from. Each keeps a scope of its own. */
function joined(files: readonly string[]): string {
  return `'use strict'\nconst modules = {}\n${files.map(scoped).join('')}`
}

function scoped(file: string): string {
  const text = readFileSync(new URL(file, SCRIPTS), 'utf8')
  const exported = [...text.matchAll(/^export (?:const|function|class) (\w+)/gm)].map(([, name]) => name)
  const inside = text
    .replace(/^import \{([^}]*)\} from '(.*)';$/gm, (_, names: string, from: string) => {
      return `const {${names.replaceAll(' as ', ': ')}} = modules['${basename(from)}'];`
    })
    .replace(/^export /gm, '')
  return `modules['${basename(file)}'] = (() => {\n${inside}return { ${exported.join(', ')} };\n})();\n`
}
