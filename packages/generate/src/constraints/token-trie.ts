import { DEAD } from './byte-automaton.js'

/**
 * The texts of tokens as a tree of bytes, its nodes in the order of a walk that goes down first: texts that begin alike are
 * read once, and where a byte leads nowhere, all that begins so is skipped with one step.
 */
export interface TokenTrie {
  /** By node: its byte. */
  readonly bytes: Uint8Array
  /** By node: how many bytes stand before it. */
  readonly depths: Uint16Array
  /** By node: the next node that is not below it. */
  readonly skips: Int32Array
  /** By node: where its tokens begin in `tokens`; they end where the next node's begin. */
  readonly begins: Int32Array
  /** Ids, by node. Several may have the same text. */
  readonly tokens: Int32Array
  /** The most bytes that a token has. */
  readonly depth: number
}

/** Longer tokens are left out. */
const LONGEST = 65_535

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** The tree of the texts of tokens, by id; ids without a text, or with an empty one, are not in it. */
export function tokenTrie(texts: readonly (Uint8Array | undefined)[]): TokenTrie {
  const entries = texts.flatMap((text, id) =>
    text === undefined || text.length === 0 || text.length > LONGEST ? [] : [{ text, id }],
  )
  entries.sort((a, b) => compareBytes(a.text, b.text) || a.id - b.id)
  const bytes: number[] = []
  const depths: number[] = []
  const skips: number[] = []
  const begins: number[] = []
  const open: number[] = []
  let before = new Uint8Array()
  const close = (depth: number): void => {
    while (open.length > depth) skips[open.pop()!] = bytes.length
  }
  entries.forEach(({ text }, i) => {
    const shared = sharedLength(before, text)
    close(shared)
    for (let depth = shared; depth < text.length; depth++) {
      open.push(bytes.length)
      depths.push(depth)
      // Until its last byte a text is at nodes without tokens: they begin, and end, where its own do.
      begins.push(i)
      bytes.push(text[depth]!)
    }
    before = text as Uint8Array<ArrayBuffer>
  })
  close(0)
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    skips: Int32Array.from(skips),
    begins: Int32Array.from([...begins, entries.length]),
    tokens: Int32Array.from(entries, ({ id }) => id),
    depth: Math.max(0, ...new Set(depths)) + 1,
  }
}

/** Walks an automaton along all texts at once: tells `found` of each token that it can read from a state, and where it leads. */
export function walkTrie(
  trie: TokenTrie,
  next: (state: number, byte: number) => number,
  from: number,
  found: (id: number, state: number) => void,
): void {
  const { bytes, depths, skips, begins, tokens } = trie
  const states = new Array<number>(trie.depth + 1).fill(from)
  for (let node = 0; node < bytes.length;) {
    const depth = depths[node]!
    const state = next(states[depth]!, bytes[node]!)
    if (state === DEAD) {
      node = skips[node]!
      continue
    }
    states[depth + 1] = state
    node++
    for (let i = begins[node - 1]!; i < begins[node]!; i++) found(tokens[i]!, state)
  }
}
