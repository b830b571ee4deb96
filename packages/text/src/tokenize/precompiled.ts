import { type AlignedText, type Rewriter, holdUnits, rewriter } from './aligned-text.js'
import { eachGrapheme } from './graphemes.js'
import { byteLength } from './byte-length.js'
import type { Work } from './work.js'

/** SentencePiece normalization rules: the replacement of the shortest known prefix of a text; `undefined` if there is none. */
type Rules = (text: string, work: Work) => string | undefined

const encoder = new TextEncoder()
/** Maximum length of a text that is looked up, in bytes, with a margin. */
const ROOM = 8
const decoder = new TextDecoder()

/** Maximum number of cached replacements, and their maximum length in units; texts consist of the same few graphemes. */
const [REMEMBERED, REMEMBERED_UNITS] = [2 ** 14, 64]
/** Maximum length of a replacement in bytes; those of Unicode's own rules have at most 33. */
const LONGEST_REPLACEMENT = 1000
/** Steps per lookup of a grapheme or character, and per cache miss. */
const [STEPS_PER_RULE, STEPS_PER_MISS] = [20, 120]
/** Steps per grapheme of a text and per unit of it; non-ASCII texts are segmented with `Intl.Segmenter`. */
const [STEPS_PER_GRAPHEME, STEPS_PER_UNIT, STEPS_PER_ASCII] = [80, 12, 5]

/** Rules with a cache. */
function cachedRules(rules: Rules): Rules {
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

/** Decodes base64; undefined if the text is not base64. */
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
 * Reads the normalization rules of SentencePiece: the size of a double-array trie in bytes, the trie, and zero-terminated texts
 * to which the values of the trie point.
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
  return cachedRules((text, work) => {
    let at = offsetOf(units[0]!)
    const { written } = encoder.encodeInto(text, encoded)
    for (let i = 0; i < written; i++) {
      const byte = encoded[i]!
      at = (at ^ byte) >>> 0
      const unit = units[at] ?? 0
      // The label of a unit is its lowest byte. If its top bit is set, it is a value and has no label.
      if (byte === 0 || (unit & 0x800000ff) >>> 0 !== byte) return undefined
      at = (at ^ offsetOf(unit)) >>> 0
      if ((unit & 0x100) !== 0) return textAt((units[at] ?? 0) & 0x7fffffff, work)
    }
    return undefined
  })
}

/** Writes replacements with their alignment. */
function replacer(made: Rewriter) {
  // The last character is delayed: text that is deleted without a replacement is aligned with the preceding character.
  let [last, change] = ['', 0]
  const put = (character: string, by: number): void => {
    if (last !== '') made.put(last, change)
    ;[last, change] = [character, by]
  }
  return {
    put,
    /**
     * Replaces one text by another. Deleted text with no preceding character is skipped. (The Rust library ignores it, which
     * shifts the offsets of the rest of the text.)
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

/** Texts of fewer bytes are looked up in the rules. */
const LONGEST = 6

/**
 * Normalizes a text by the precompiled rules of a SentencePiece model. Like the Rust library, looks up graphemes of fewer than
 * six bytes as a whole, and longer ones character by character.
 */
export function normalizeByRules(input: AlignedText, rules: Rules, work: Work): AlignedText {
  const made = rewriter(input)
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
  const isAscii = byteLength(input.text) === input.text.length
  eachGrapheme(input.text, (grapheme) => {
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
  return any ? made.done() : input
}
