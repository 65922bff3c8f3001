/** What several files are called together. No DOM. */

/** Adds to what was chosen before. Of two with the same path the later one gets a number: `a (2).txt`. */
export function joined<I extends { readonly path: string }>(before: readonly I[], more: readonly I[]): I[] {
  const all = [...before]
  const paths = new Set(before.map(({ path }) => path))
  for (const each of more) {
    const path = freePath(each.path, paths)
    paths.add(path)
    all.push(path === each.path ? each : { ...each, path })
  }
  return all
}

function freePath(path: string, taken: ReadonlySet<string>): string {
  const [, stem, extension] = /^(.*?[^/])(\.[^./]*)?$/s.exec(path)!
  let free = path
  for (let i = 2; taken.has(free); i++) free = `${stem} (${i})${extension ?? ''}`
  return free
}

/** `photos.zip` for what is in one folder, `files.zip` for all else. */
export function zipName(paths: readonly string[]): string {
  const folders = new Set(paths.map((path) => path.split('/', 1)[0]!))
  const [folder] = folders
  return folders.size === 1 && (paths.length > 1 || paths[0]!.includes('/')) ? `${folder}.zip` : 'files.zip'
}
