/** What determines a plugin's place in the order. */
export interface Orderable {
  readonly name: string
  readonly needs?: readonly string[]
  readonly after?: readonly string[]
  readonly first?: boolean
}

/**
 * The order of the configuration, moved only as far as `first`, `needs` and `after` demand.
 * @throws Error with one line: a plugin is loaded twice or missing, or plugins depend on each other in a circle
 */
export function inOrder<P extends Orderable>(plugins: readonly P[]): P[] {
  const byName = new Map<string, P>()
  for (const plugin of plugins) {
    if (byName.has(plugin.name)) throw new Error(`plugin ${plugin.name} is loaded twice; take one of them out`)
    byName.set(plugin.name, plugin)
  }
  const order: P[] = []
  const done = new Set<P>()
  const place = (plugin: P, path: readonly P[]): void => {
    if (done.has(plugin)) return
    if (path.includes(plugin)) {
      const circle = [...path.slice(path.indexOf(plugin)), plugin].map((each) => each.name).join(' after ')
      throw new Error(`plugins cannot be put in order: ${circle}`)
    }
    for (const earlier of prerequisites(plugin, byName)) place(earlier, [...path, plugin])
    done.add(plugin)
    order.push(plugin)
  }
  for (const plugin of plugins) if (plugin.first === true) place(plugin, [])
  for (const plugin of plugins) place(plugin, [])
  return order
}

function prerequisites<P extends Orderable>(plugin: P, byName: ReadonlyMap<string, P>): P[] {
  for (const name of plugin.needs ?? []) {
    if (!byName.has(name)) throw new Error(`plugin ${plugin.name} needs plugin ${name}, which is not loaded; add it`)
  }
  return [...(plugin.needs ?? []), ...(plugin.after ?? [])].flatMap((name) => byName.get(name) ?? [])
}
