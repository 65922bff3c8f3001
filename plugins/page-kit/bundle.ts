/** What pages are made of besides their text, read once: a page carries everything itself. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'

/** `npm run build` compiles the scripts with the libraries of a browser, into a folder of their own. */
const SCRIPTS = new URL('../../browser/plugins/', import.meta.url)
const SOURCES = new URL('../../../plugins/', import.meta.url)

/** A style sheet as it stands in the sources, by its path below `plugins/`. */
export function styleSheet(path: string): string {
  return readFileSync(new URL(path, SOURCES), 'utf8')
}

/** What all pages share: colours, type, cards, buttons, the bar. */
export const COMMON_STYLE = styleSheet('page-kit/common.css')

/**
 * Modules as one script: what stands in the page itself has no address to import from. Each keeps a scope of its own.
 * @param files below `plugins/`, each behind those it imports from; no two have the same last part
 */
export function bundle(files: readonly string[]): string {
  return `'use strict'\nconst modules = {}\n${files.map(scoped).join('')}`
}

/** A CommonJS module without imports, as a global variable of a page. */
export function asGlobal(name: string, module: string): string {
  const text = readFileSync(createRequire(import.meta.url).resolve(module), 'utf8')
  return `const ${name} = (() => { const exports = {};\n${text}\nreturn exports })()`
}

function scoped(file: string): string {
  const text = readFileSync(new URL(file, SCRIPTS), 'utf8')
  const exported = [...text.matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)].map(([, name]) => name)
  const inside = text
    .replace(/^import \{([^}]*)\} from '(.*)';$/gm, (_, names: string, from: string) => {
      return `const {${names.replaceAll(' as ', ': ')}} = modules['${basename(from)}'];`
    })
    .replace(/^export /gm, '')
  return `modules['${basename(file)}'] = (() => {\n${inside}return { ${exported.join(', ')} };\n})();\n`
}
