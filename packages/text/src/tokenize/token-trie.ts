/** A trie of texts, whose nodes are numbers: 0 is the root, and every other node is greater than its parent. */
export interface Trie {
  /** Nodes there are. */
  readonly size: number
  /** The parent of each node. */
  readonly parents: Int32Array
  /** The UTF-16 unit that leads from its parent to each node. */
  readonly units: Uint16Array
  /** The index of the text that ends at each node (of equal texts the last); −1 for none. */
  readonly ids: Int32Array
  /** The node that a unit leads to from another; 0 for none. */
  child(node: number, unit: number): number
}

/** An odd number that nobody can foresee: it keeps files from choosing texts whose nodes collide. */
const secret = (): number => Math.floor(Math.random() * 2 ** 31) * 2 + 1

/** A hash table of the children of all nodes, with open addressing. Its slots hold nodes, 0 for none. */
function childTable(parents: Int32Array, units: Uint16Array) {
  const [a, b] = [secret(), secret()]
  let bits = 4
  let slots = new Int32Array(2 ** bits)
  /** The slot of a child: that which it has, or that which it may take. */
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
    /** Adds the newest node, which has a parent and a unit. */
    add(node: number): void {
      slots[slotOf(parents[node]!, units[node]!)] = node
      if (2 * node < slots.length) return
      bits++
      slots = new Int32Array(2 ** bits)
      for (let each = 1; each <= node; each++) slots[slotOf(parents[each]!, units[each]!)] = each
    },
  }
}

/** Makes a trie of texts, without the empty one, in time and memory in proportion to their length. */
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
 * The texts that begin at a position of another: calls back with the index and the end of each, shortest first.
 * @returns units examined
 */
export type Prefixes = (text: string, start: number, found: (id: number, end: number) => void) => number

/**
 * Finds the prefixes of a text in a trie.
 * @param from node to begin at: its text stands before that which is searched
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

/** Finds which of some texts begin at a position of another. */
export const trieOf = (texts: readonly string[]): Prefixes => prefixesIn(makeTrie(texts))
