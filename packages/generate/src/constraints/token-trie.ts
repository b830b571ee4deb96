import { DEAD } from './byte-automaton.js'

/**
 * Trie of the tokens' texts over bytes, with its nodes in depth-first order: common prefixes are read once, and all texts below a
 * dead byte are skipped in one step.
 */
export interface TokenTrie {
  /** By node: its byte. */
  readonly bytes: Uint8Array
  /** By node: number of bytes before it. */
  readonly depths: Uint16Array
  /** By node: the next node outside its subtree. */
  readonly skips: Int32Array
  /** By node: start of its token ids in `tokens`; they end where those of the next node start. */
  readonly begins: Int32Array
  /** Token ids, by node. Several ids may have the same text. */
  readonly tokens: Int32Array
  /** Length of the longest token, in bytes. */
  readonly depth: number
}

/** Longer tokens are skipped. */
const MAX_LENGTH = 65_535

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** Ids of the tokens with a text, in byte order of their texts, then by id. */
function sorted(texts: readonly (Uint8Array | undefined)[]): readonly number[] {
  const ids: number[] = []
  for (const [id, text] of texts.entries())
    if (text !== undefined && text.length > 0 && text.length <= MAX_LENGTH) ids.push(id)
  const key = new Float64Array(texts.length)
  // The first six bytes as a number decide most comparisons.
  for (const id of ids) {
    const text = texts[id]!
    let first = 0
    for (let i = 0; i < 6; i++) first = first * 256 + (text[i] ?? 0)
    key[id] = first
  }
  return ids.sort((a, b) => key[a]! - key[b]! || compared(texts[a]!, texts[b]!) || a - b)
}

/** Order of two texts by their bytes; a beginning comes before the whole. */
function compared(a: Uint8Array, b: Uint8Array): number {
  const shared = sharedLength(a, b)
  return shared < a.length && shared < b.length ? a[shared]! - b[shared]! : a.length - b.length
}

/** Builds the trie of token texts, indexed by id; ids without a text or with an empty one are left out. */
export function tokenTrie(texts: readonly (Uint8Array | undefined)[]): TokenTrie {
  const ids = sorted(texts)
  const room = ids.reduce((sum, id) => sum + texts[id]!.length, 0)
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
  for (const id of ids) {
    const text = texts[id]!
    const shared = sharedLength(before, text)
    close(shared)
    for (let at = shared; at < text.length; at++) {
      open.push(size)
      depths[size] = at
      // Inner nodes of a text have no tokens: their range is empty.
      begins[size] = tokens.length
      bytes[size++] = text[at]!
    }
    tokens.push(id)
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
 * Runs an automaton over all texts of a trie: calls `found` with each token that can be read from a state, and the state after
 * it. Returns the number of nodes visited.
 */
export function walkTrie(
  trie: TokenTrie,
  next: (state: number, byte: number) => number,
  from: number,
  found: (id: number, state: number) => void,
): number {
  const { bytes, depths, skips, begins, tokens } = trie
  const states = new Array<number>(trie.depth + 1).fill(from)
  let visited = 0
  for (let node = 0; node < bytes.length; visited++) {
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
  return visited
}
