/** A name with its escapes decoded, unless it would look like another one then. */
export function readable(name: string): string {
  try {
    const decoded = decodeURIComponent(name)
    return /[\p{C}\p{Zl}\p{Zp}]/u.test(decoded) ? name : decoded
  } catch {
    return name
  }
}
