import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
  type YAMLSeq,
} from 'yaml'
import { badFile, type Problem } from './problems/problems.js'
import { show, systemError } from './problems/show.js'

/** Reads a whole file as text; throws as `fs.readFileSync` does. */
export type ReadFile = (path: string) => string

/** The content of a configuration file: its keys in their order, or why it cannot be used at all. */
export interface FileContent {
  readonly entries: readonly (readonly [key: string, raw: unknown])[]
  readonly problem?: Problem
  /** The raw value of `plugins`, the only key that is no setting. */
  readonly plugins?: unknown
}

/**
 * Reads a YAML (or JSON, which is YAML) mapping of keys to scalars. `askedBy` is the flag or variable that named the
 * file. No problem repeats any of the content: a file named by mistake may hold a secret.
 */
export function readConfigFile(path: string, askedBy: string, readFile: ReadFile): FileContent {
  let text: string
  try {
    text = readFile(path)
  } catch (error) {
    return refused(badFile(askedBy, `${show(path)} (${systemError(error)})`, 'a readable file'))
  }
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  // A warning is a tag that means nothing here. It is an error like anything else that would be ignored.
  const fault = doc.errors[0] ?? doc.warnings[0]
  if (fault !== undefined) return refused(notYaml(path, fault, lines))
  return contentOf(path, doc, lines)
}

function refused(problem: Problem): FileContent {
  return { entries: [], problem }
}

function at(path: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${path}:${line}:${col}`
}

function notYaml(path: string, fault: YAMLError, lines: LineCounter): Problem {
  // What follows one of these in the parser's messages may quote the file.
  const reason = fault.code === 'MULTIPLE_DOCS' ? 'a second document' : fault.message.split(/[:"\\]/)[0]!.trim()
  return badFile(at(path, lines, fault.pos[0]), `a YAML error (${reason})`, 'YAML or JSON')
}

function contentOf(path: string, doc: Document.Parsed, lines: LineCounter): FileContent {
  const root = doc.contents
  // A file of comments only sets nothing.
  if (root === null || (isScalar(root) && root.value === null)) return { entries: [] }
  if (!isMap(root)) {
    const found = isSeq(root) ? 'a list' : 'a single value'
    return refused(badFile(at(path, lines, root.range[0]), found, 'a mapping of keys to values'))
  }
  const pairs = root.items.map((pair) => [keyText(plain(pair.key, doc)), pair.value] as const)
  const plugins = pairs.find(([key]) => key === 'plugins')?.[1]
  return {
    entries: pairs
      .filter(([key]) => key !== 'plugins')
      .map(([key, value]) => [key, plain(value as Node, doc)] as const),
    plugins: isNode(plugins) ? plugins.toJS(doc) : plugins,
  }
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? key : show(key)
}

const DANGLING = Symbol('an alias without its anchor')

/** The value of a scalar or a list. A mapping becomes an empty one, since no setting takes any. */
function plain(node: Node | null, doc: Document.Parsed): unknown {
  const target = isAlias(node) ? node.resolve(doc) : node
  // The parser does not report this. As null it would pass for a key that is unset.
  if (target === undefined) return DANGLING
  if (target === null) return null
  if (isScalar(target)) return target.value
  return isSeq(target) ? list(target, doc) : {}
}

function list(node: YAMLSeq, doc: Document.Parsed): unknown {
  try {
    return node.toJS(doc)
  } catch {
    return DANGLING
  }
}
