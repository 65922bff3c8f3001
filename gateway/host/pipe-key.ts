/** A name within a project's namespace. No name has a space in it, so no two projects can mean the same pipe. */
export function pipeKey(project: string, name: string): string {
  return project === '' ? name : `${project} ${name}`
}

/** The two halves of a key. */
export function splitKey(key: string): { readonly project: string; readonly name: string } {
  const space = key.indexOf(' ')
  return { project: key.slice(0, Math.max(0, space)), name: key.slice(space + 1) }
}
