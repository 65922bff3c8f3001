/** What decides the order of plugins. */
export interface Ordered {
  readonly name: string
  readonly needs?: readonly string[]
  readonly after?: readonly string[]
  readonly first?: boolean
}

/**
 * The order of the configuration, moved only as far as `first`, `needs` and `after` demand.
 * @throws Error with one line: a plugin that is loaded twice, that is missing, or that waits for itself
 */
export function inOrder<P extends Ordered>(plugins: readonly P[]): P[] {
  const byName = new Map<string, P>()
  for (const plugin of plugins) {
    if (byName.has(plugin.name)) throw new Error(`plugin ${plugin.name} is loaded twice; take one of them out`)
    byName.set(plugin.name, plugin)
  }
  const order: P[] = []
  const done = new Set<P>()
  const visit = (plugin: P, path: readonly P[]): void => {
    if (done.has(plugin)) return
    if (path.includes(plugin)) {
      const circle = [...path.slice(path.indexOf(plugin)), plugin].map((each) => each.name).join(' after ')
      throw new Error(`plugins cannot be put in order: ${circle}`)
    }
    for (const earlier of earlierOf(plugin, byName)) visit(earlier, [...path, plugin])
    done.add(plugin)
    order.push(plugin)
  }
  for (const plugin of plugins) if (plugin.first === true) visit(plugin, [])
  for (const plugin of plugins) visit(plugin, [])
  return order
}

function earlierOf<P extends Ordered>(plugin: P, byName: ReadonlyMap<string, P>): P[] {
  for (const name of plugin.needs ?? []) {
    if (!byName.has(name)) throw new Error(`plugin ${plugin.name} needs plugin ${name}, which is not loaded; add it`)
  }
  return [...(plugin.needs ?? []), ...(plugin.after ?? [])].flatMap((name) => byName.get(name) ?? [])
}
