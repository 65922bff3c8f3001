import { canonicalName } from '../../gateway/plugin-api.js'

/** Whether a name fits. */
export type NamePattern = (name: string) => boolean

/**
 * `*` stands for any characters but `/`, `**` for any characters at all, everything else for itself. The pattern is
 * brought into the spelling that names have, so that `café/*` fits what a browser sends as `caf%C3%A9/x`.
 *
 * The time is bounded by pattern times name, whatever they are: a regular expression with several stars can take for ever on
 * a name made for it, and names are made by strangers.
 */
export function namePattern(glob: string): NamePattern {
  const parts = canonicalName(glob).match(/\*\*+|\*|[^*]/g) ?? []
  return (name) => {
    // reached[i]: the first i parts fit what has been read of the name.
    let reached = closure(parts.map((_, i) => i === 0).concat(parts.length === 0), parts)
    for (const character of name) {
      const next: boolean[] = new Array(parts.length + 1).fill(false)
      parts.forEach((part, i) => {
        if (!reached[i]) return
        if (part === character && part !== '*') next[i + 1] = true
        else if (part.startsWith('**') || (part === '*' && character !== '/')) next[i] = true
      })
      reached = closure(next, parts)
    }
    return reached[parts.length] === true
  }
}

/** A star fits no character as well. */
function closure(reached: boolean[], parts: readonly string[]): boolean[] {
  parts.forEach((part, i) => {
    if (reached[i] && part.startsWith('*')) reached[i + 1] = true
  })
  return reached
}
