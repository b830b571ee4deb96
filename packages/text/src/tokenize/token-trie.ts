/** The tokens that begin at a place of a text: calls back with the id and the end of each, shortest first. */
export type Prefixes = (text: string, start: number, found: (id: number, end: number) => void) => void

/**
 * A trie of tokens in flat arrays: each node knows its first child and its next sibling. The many children of the root are
 * found by a map.
 */
export function trieOf(tokens: readonly string[]): Prefixes {
  const size = tokens.reduce((sum, token) => sum + token.length, 1)
  const [child, sibling, ids] = [new Int32Array(size), new Int32Array(size), new Int32Array(size).fill(-1)]
  const units = new Uint16Array(size)
  const fromRoot = new Map<number, number>()
  let nodes = 1
  const find = (node: number, unit: number): number => {
    if (node === 0) return fromRoot.get(unit) ?? 0
    let at = child[node]!
    while (at !== 0 && units[at] !== unit) at = sibling[at]!
    return at
  }
  const insert = (node: number, unit: number): number => {
    const made = nodes++
    units[made] = unit
    if (node === 0) fromRoot.set(unit, made)
    else {
      sibling[made] = child[node]!
      child[node] = made
    }
    return made
  }
  for (const [id, token] of tokens.entries()) {
    if (token === '') continue
    let node = 0
    for (let i = 0; i < token.length; i++) node = find(node, token.charCodeAt(i)) || insert(node, token.charCodeAt(i))
    ids[node] = id
  }
  return (text, start, found) => {
    let node = 0
    for (let at = start; at < text.length; at++) {
      node = find(node, text.charCodeAt(at))
      if (node === 0) return
      if (ids[node]! >= 0) found(ids[node]!, at + 1)
    }
  }
}
