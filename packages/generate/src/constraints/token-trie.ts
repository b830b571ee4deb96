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

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** The ids of each text, in the order of the bytes. */
function sorted(texts: readonly (Uint8Array | undefined)[]): { readonly text: Uint8Array; readonly ids: number[] }[] {
  const byName = new Map<string, { readonly text: Uint8Array; readonly ids: number[] }>()
  for (const [id, text] of texts.entries()) {
    if (text === undefined || text.length === 0 || text.length > LONGEST) continue
    // A character for each byte: such names are sorted faster than the bytes.
    const name = Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1')
    const entry = byName.get(name) ?? { text, ids: [] }
    if (entry.ids.push(id) === 1) byName.set(name, entry)
  }
  return [...byName.keys()].sort().map((name) => byName.get(name)!)
}

/** The tree of the texts of tokens, by id; ids without a text, or with an empty one, are not in it. */
export function tokenTrie(texts: readonly (Uint8Array | undefined)[]): TokenTrie {
  const entries = sorted(texts)
  const room = entries.reduce((sum, { text }) => sum + text.length, 0)
  const bytes = new Uint8Array(room)
  const depths = new Uint16Array(room)
  const skips = new Int32Array(room)
  const begins = new Int32Array(room + 1)
  const tokens: number[] = []
  const open: number[] = []
  let [before, size, depth] = [new Uint8Array(), 0, 0]
  const close = (to: number): void => {
    while (open.length > to) skips[open.pop()!] = size
  }
  for (const { text, ids } of entries) {
    const shared = sharedLength(before, text)
    close(shared)
    for (let at = shared; at < text.length; at++) {
      open.push(size)
      depths[size] = at
      // Until its last byte a text is at nodes without tokens: they begin, and end, where its own do.
      begins[size] = tokens.length
      bytes[size++] = text[at]!
    }
    for (const id of ids) tokens.push(id)
    depth = Math.max(depth, text.length)
    before = text as Uint8Array<ArrayBuffer>
  }
  close(0)
  begins[size] = tokens.length
  return {
    bytes: bytes.slice(0, size),
    depths: depths.slice(0, size),
    skips: skips.slice(0, size),
    begins: begins.slice(0, size + 1),
    tokens: Int32Array.from(tokens),
    depth: Math.max(1, depth),
  }
}

/**
 * Walks an automaton along all texts at once: calls `found` with each token that it can read from a state, and where it leads.
 * Returns how many nodes were looked at.
 */
export function walkTrie(
  trie: TokenTrie,
  next: (state: number, byte: number) => number,
  from: number,
  found: (id: number, state: number) => void,
): number {
  const { bytes, depths, skips, begins, tokens } = trie
  const states = new Array<number>(trie.depth + 1).fill(from)
  let looked = 0
  for (let node = 0; node < bytes.length; looked++) {
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
  return looked
}
