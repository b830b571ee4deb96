import { type Trie, makeTrie } from './token-trie.js'
import type { Work } from './work.js'

/** Nodes sorted by depth. */
function byDepth({ size, parents }: Trie): Int32Array {
  const depths = new Int32Array(size)
  let deepest = 0
  for (let node = 1; node < size; node++) {
    depths[node] = depths[parents[node]!]! + 1
    deepest = Math.max(deepest, depths[node]!)
  }
  const next = new Int32Array(deepest + 2)
  for (const depth of depths) next[depth + 1]!++
  for (let depth = 1; depth < next.length; depth++) next[depth]! += next[depth - 1]!
  const order = new Int32Array(size)
  for (let node = 0; node < size; node++) order[next[depths[node]!]!++] = node
  return order
}

/** For each node, the node of its longest proper suffix, and the longest text that is a suffix of its text; −1 for none. */
function suffixesOf(trie: Trie): { readonly links: Int32Array; readonly longest: Int32Array } {
  const links = new Int32Array(trie.size)
  const longest = trie.ids.slice(0, trie.size)
  for (const node of byDepth(trie)) {
    const parent = trie.parents[node]!
    if (parent > 0) {
      const unit = trie.units[node]!
      let link = links[parent]!
      while (link > 0 && trie.child(link, unit) === 0) link = links[link]!
      links[node] = trie.child(link, unit)
    }
    if (longest[node] === -1) longest[node] = longest[links[node]!]!
  }
  return { links, longest }
}

/** Calls back with the start of each occurrence and the index of its text, from left to right. */
export type TextFinder = (text: string, work: Work, found: (start: number, index: number) => void) => void

const reversed = (text: string): string => {
  let result = ''
  for (let at = text.length - 1; at >= 0; at--) result += text[at]!
  return result
}

/**
 * Finds texts in other texts: leftmost first, longest at a position, without overlap. Scans the text from its end with an
 * Aho–Corasick automaton of the reversed texts, which yields the longest text that starts at each position. Time is linear in
 * the text; building the automaton is linear in the texts.
 * Source: Aho and Corasick, Efficient String Matching: An Aid to Bibliographic Search, 1975.
 */
export function textFinder(texts: readonly string[]): TextFinder {
  const trie = makeTrie(texts.map(reversed))
  const { links, longest } = suffixesOf(trie)
  const last = new Uint8Array(0x10000)
  for (let node = 1; node < trie.size; node++) if (trie.parents[node] === 0) last[trie.units[node]!] = 1
  return (text, work, found) => {
    const starts: number[] = []
    const indices: number[] = []
    let node = 0
    let steps = 2 * text.length
    for (let at = text.length - 1; at >= 0; at--) {
      const unit = text.charCodeAt(at)
      if (node === 0 && last[unit] === 0) continue
      let next = trie.child(node, unit)
      for (; next === 0 && node > 0; steps += 4) {
        node = links[node]!
        next = trie.child(node, unit)
      }
      node = next
      steps += 4
      if (longest[node]! < 0) continue
      starts.push(at)
      indices.push(longest[node]!)
    }
    work.spend(steps + 4 * starts.length)
    let from = 0
    for (let i = starts.length - 1; i >= 0; i--) {
      if (starts[i]! < from) continue
      found(starts[i]!, indices[i]!)
      from = starts[i]! + texts[indices[i]!]!.length
    }
  }
}
