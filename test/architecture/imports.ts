import { cruise } from 'dependency-cruiser'

/** One import, types included; paths from the root of the tree. */
export interface Import {
  readonly from: string
  /** A module of the tree, a `node:` module or a package. */
  readonly to: string
  readonly isLocal: boolean
}

/**
 * Every import of a tree, read by dependency-cruiser from the sources as they are, so that type imports count.
 * @param root where `core`, `gateway`, `plugins` and `client` are
 * @param file only what this file imports
 */
export async function importsOf(root: string, file?: string): Promise<Import[]> {
  const result = await cruise(file === undefined ? ['core', 'gateway', 'plugins', 'client'] : [file], {
    baseDir: root,
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    ...(file !== undefined && { maxDepth: 1 }),
  })
  if (typeof result.output === 'string') throw new TypeError('dependency-cruiser was asked for no report')
  return result.output.modules.flatMap(({ source, dependencies }) =>
    dependencies.map(({ module, resolved, coreModule, couldNotResolve }) => {
      const isLocal = !coreModule && !couldNotResolve && !resolved.includes('node_modules')
      return { from: source, to: isLocal ? resolved : module, isLocal }
    }),
  )
}
