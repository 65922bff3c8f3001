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
import { badFile, type Problem, show, systemError } from './problems.js'

/** Reads a whole file as text; throws as `fs.readFileSync` does. */
export type ReadFile = (path: string) => string

/** What stands in a configuration file: its keys in their order, or why it cannot be used at all. */
export interface FileContent {
  readonly entries: readonly (readonly [key: string, raw: unknown])[]
  readonly problem?: Problem
  /** What stands under `plugins`, as it is: the only key that takes more than a scalar. */
  readonly plugins?: unknown
}

/**
 * Reads a YAML (or JSON, which is YAML) mapping of keys to scalars. `askedBy` is the flag or variable that named the
 * file. Nothing of the content is repeated in a problem: whoever passes the wrong file may have passed a secret.
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
  // A warning is a tag that means nothing here: as wrong as any other thing that would be ignored.
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
  // After one of these the parser's messages quote the file.
  const reason = fault.code === 'MULTIPLE_DOCS' ? 'a second document' : fault.message.split(/[:"\\]/)[0]!.trim()
  return badFile(at(path, lines, fault.pos[0]), `a YAML error (${reason})`, 'YAML or JSON')
}

function contentOf(path: string, doc: Document.Parsed, lines: LineCounter): FileContent {
  const root = doc.contents
  // A file of comments only is a file in which nothing has been set yet.
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

/** The value of a scalar or a list; an empty mapping in the place of one, since no setting takes any. */
function plain(node: Node | null, doc: Document.Parsed): unknown {
  const target = isAlias(node) ? node.resolve(doc) : node
  // The parser leaves this to whoever converts the document; as null it would pass for a key that is unset.
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
