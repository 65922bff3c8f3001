/** The candidate that `word` most likely misspells, if any. Case, `-` and `_` do not count. */
export function nearest<T extends string>(word: string, candidates: readonly T[]): T | undefined {
  const plain = (text: string) => text.replace(/[-_]/g, '').toLowerCase()
  const limit = Math.max(1, Math.floor(plain(word).length / 3))
  // Nothing that long is near a setting, and the table below is quadratic in its length.
  if (word.length > 40) return undefined
  let best: T | undefined
  let least = limit + 1
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate))
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** The Damerau-Levenshtein distance: insertions, deletions, replacements and swaps of neighbours from `a` to `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1]!
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : 1e9
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, replaced, swapped))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
