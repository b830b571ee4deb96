/** A trie of texts. Nodes are integers: 0 is the root, and every other node is larger than its parent. */
export interface Trie {
  /** Number of nodes. */
  readonly size: number
  /** Parent of each node. */
  readonly parents: Int32Array
  /** UTF-16 unit on the edge from its parent to each node. */
  readonly units: Uint16Array
  /** Index of the text that ends at each node (the last of equal texts); −1 for none. */
  readonly ids: Int32Array
  /** The child of a node for a unit; 0 for none. */
  child(node: number, unit: number): number
}

/** A random odd number, so that a malicious file cannot choose texts whose nodes collide. */
const secret = (): number => Math.floor(Math.random() * 2 ** 31) * 2 + 1

/** A hash table of the children of all nodes, with open addressing. Slots hold nodes, 0 for empty. */
function childTable(parents: Int32Array, units: Uint16Array) {
  const [a, b] = [secret(), secret()]
  let bits = 4
  let slots = new Int32Array(2 ** bits)
  /** The slot of a child, or the free slot for it. */
  const slotOf = (node: number, unit: number): number => {
    const mask = slots.length - 1
    let slot = (Math.imul(node, a) + Math.imul(unit, b)) >>> (32 - bits)
    for (let found = slots[slot]!; found !== 0; found = slots[slot]!) {
      if (parents[found] === node && units[found] === unit) break
      slot = (slot + 1) & mask
    }
    return slot
  }
  return {
    get: (node: number, unit: number): number => slots[slotOf(node, unit)]!,
    /** Adds the newest node; its parent and unit are set. */
    add(node: number): void {
      slots[slotOf(parents[node]!, units[node]!)] = node
      if (2 * node < slots.length) return
      bits++
      slots = new Int32Array(2 ** bits)
      for (let each = 1; each <= node; each++) slots[slotOf(parents[each]!, units[each]!)] = each
    },
  }
}

/** Builds a trie of texts (empty texts are left out), in time and memory proportional to their total length. */
export function makeTrie(texts: readonly string[]): Trie {
  const most = texts.reduce((sum, text) => sum + text.length, 1)
  const [parents, units, ids] = [new Int32Array(most), new Uint16Array(most), new Int32Array(most).fill(-1)]
  const table = childTable(parents, units)
  let size = 1
  for (const [id, text] of texts.entries()) {
    let node = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      let next = table.get(node, unit)
      if (next === 0) {
        next = size++
        parents[next] = node
        units[next] = unit
        table.add(next)
      }
      node = next
    }
    if (node > 0) ids[node] = id
  }
  return { size, parents, units, ids, child: table.get }
}

/**
 * Texts that are prefixes of another text at a position: calls back with the index and the end of each, shortest first.
 * @returns number of units examined
 */
export type Prefixes = (text: string, start: number, found: (id: number, end: number) => void) => number

/**
 * Finds the prefixes of a text in a trie.
 * @param from node to start at; its text precedes the searched text
 */
export function prefixesIn({ child, ids }: Trie, from = 0): Prefixes {
  return (text, start, found) => {
    let node = from
    for (let at = start; at < text.length; at++) {
      node = child(node, text.charCodeAt(at))
      if (node === 0) return at - start + 1
      if (ids[node]! >= 0) found(ids[node]!, at + 1)
    }
    return text.length - start
  }
}

/** Finds the given texts that are prefixes of another text at a position. */
export const trieOf = (texts: readonly string[]): Prefixes => prefixesIn(makeTrie(texts))
