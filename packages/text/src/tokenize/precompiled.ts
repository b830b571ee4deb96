import { type AlignedText, type Rewriter, holdUnits, rewriter } from './aligned-text.js'
import { eachGrapheme } from './graphemes.js'
import { byteLength } from './byte-length.js'
import type { Work } from './work.js'

/** What SentencePiece puts in the place of the shortest known beginning of a text; `undefined` where none is known. */
type Rules = (text: string, work: Work) => string | undefined

const encoder = new TextEncoder()
/** Bytes of the longest text that is looked up, with room. */
const ROOM = 8
const decoder = new TextDecoder()

/** Replacements that are remembered, and the units of each at most: texts consist of the same few graphemes. */
const [REMEMBERED, REMEMBERED_UNITS] = [2 ** 14, 64]
/** Longest text that may take the place of a grapheme, in bytes; those of Unicode's own rules have 33 at most. */
const LONGEST_REPLACEMENT = 1000
/** Steps for a grapheme or character that is looked up, and for one that is not remembered. */
const [STEPS_PER_RULE, STEPS_PER_MISS] = [20, 120]
/** Steps for a grapheme of a text and for a unit of it; where not all is ASCII, `Intl.Segmenter` finds them. */
const [STEPS_PER_GRAPHEME, STEPS_PER_UNIT, STEPS_PER_ASCII] = [80, 12, 5]

/** The same rules, which are not asked again for what is remembered. */
function remembered(rules: Rules): Rules {
  const known = new Map<string, string | undefined>()
  return (text, work) => {
    work.spend(STEPS_PER_RULE)
    if (known.has(text)) return known.get(text)
    work.spend(STEPS_PER_MISS)
    const found = rules(text, work)
    if (known.size < REMEMBERED && (found?.length ?? 0) <= REMEMBERED_UNITS) known.set(text, found)
    return found
  }
}

/** The bytes that a text of base64 stands for; undefined if it is not base64. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  let characters: string
  try {
    characters = atob(base64)
  } catch {
    return undefined
  }
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

/**
 * Reads the rules of SentencePiece: the bytes of a double-array trie, preceded by their number, and texts that end in a zero
 * byte, to which the trie's values point.
 * @returns undefined if the bytes are not such rules
 */
export function readRules(base64: string): Rules | undefined {
  const bytes = bytesOf(base64)
  if (bytes === undefined || bytes.length < 4) return undefined
  const view = new DataView(bytes.buffer)
  const size = view.getUint32(0, true)
  if (size % 4 !== 0 || size === 0 || size + 4 > bytes.length) return undefined
  const units = new Uint32Array(size / 4)
  for (let i = 0; i < units.length; i++) units[i] = view.getUint32(4 + 4 * i, true)
  const texts = bytes.subarray(4 + size)
  const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)
  const textAt = (start: number, work: Work): string | undefined => {
    if (start > texts.length) return undefined
    const found = texts.subarray(start, start + LONGEST_REPLACEMENT + 1).indexOf(0)
    const end = found < 0 ? texts.length : start + found
    if (end - start > LONGEST_REPLACEMENT)
      return work.refuse(`its \`precompiled_charsmap\` replaces a character by more than ${LONGEST_REPLACEMENT} bytes`)
    return decoder.decode(texts.subarray(start, end))
  }
  const encoded = new Uint8Array(ROOM)
  return remembered((text, work) => {
    let at = offsetOf(units[0]!)
    const { written } = encoder.encodeInto(text, encoded)
    for (let i = 0; i < written; i++) {
      const byte = encoded[i]!
      at = (at ^ byte) >>> 0
      const unit = units[at] ?? 0
      // A unit's label is its lowest byte; its top bit says that it is a value and has no label.
      if (byte === 0 || (unit & 0x800000ff) >>> 0 !== byte) return undefined
      at = (at ^ offsetOf(unit)) >>> 0
      if ((unit & 0x100) !== 0) return textAt((units[at] ?? 0) & 0x7fffffff, work)
    }
    return undefined
  })
}

/** Puts texts in the place of others. */
function replacer(made: Rewriter) {
  // What is taken away without anything in its place goes with what stood before, so the last character has to wait.
  let [last, change] = ['', 0]
  const put = (character: string, by: number): void => {
    if (last !== '') made.put(last, change)
    ;[last, change] = [character, by]
  }
  return {
    put,
    /**
     * Puts one text in the place of another. What is taken away with nothing before it is skipped. (The Rust library forgets
     * it, and the offsets of all that follows are wrong by as much.)
     */
    replace(old: string, replacement: string): void {
      const characters = [...replacement]
      const difference = characters.length - [...old].length
      for (const [i, character] of characters.entries())
        put(character, difference > 0 && i >= characters.length - difference ? 1 : 0)
      if (last === '') made.skip(-difference)
      else if (difference < 0) change += difference
    },
    flush: () => put('', 0),
  }
}

/** Longest text that rules are looked up for, in bytes. */
const LONGEST = 6

/**
 * Normalizes as SentencePiece was told to when its model was trained: graphemes below six bytes by the rules, longer ones
 * character by character, which is how the Rust library reads them.
 */
export function normalizedByRules(given: AlignedText, rules: Rules, work: Work): AlignedText {
  const made = rewriter(given)
  const { put, replace, flush } = replacer(made)
  let any = false
  let held = 0
  const apply = (part: string): boolean => {
    const replacement = rules(part, work)
    if (replacement === undefined) return false
    any = true
    work.spend(4 * replacement.length)
    holdUnits(work, replacement.length)
    held += replacement.length
    replace(part, replacement)
    return true
  }
  const isAscii = byteLength(given.text) === given.text.length
  eachGrapheme(given.text, (grapheme) => {
    work.spend(isAscii ? STEPS_PER_ASCII : STEPS_PER_GRAPHEME + STEPS_PER_UNIT * grapheme.length)
    const isShort = grapheme.length < LONGEST && byteLength(grapheme) < LONGEST
    if (isShort && apply(grapheme)) return
    for (const character of grapheme) {
      const isLookedUp = isShort && character.length === grapheme.length
      if (isLookedUp || !apply(character)) put(character, 0)
    }
  })
  flush()
  holdUnits(work, -held)
  return any ? made.done() : given
}
