import { type AlignedText, type Change, changed } from './aligned-text.js'

/** What SentencePiece puts in the place of the shortest known beginning of a text; `undefined` where none is known. */
type Rules = (text: string) => string | undefined

const encoder = new TextEncoder()

const REMEMBERED = 2 ** 14

/** The same rules, which look few graphemes up again: texts consist of the same ones. */
function remembered(rules: Rules): Rules {
  const known = new Map<string, string | undefined>()
  return (text) => {
    if (known.has(text)) return known.get(text)
    const found = rules(text)
    if (known.size < REMEMBERED) known.set(text, found)
    return found
  }
}

/**
 * Reads the rules of SentencePiece: the bytes of a double-array trie, preceded by their number, and texts that end in a zero
 * byte, to which the trie's values point.
 * @returns undefined if the bytes are none such
 */
export function readRules(base64: string): Rules | undefined {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))
  if (bytes.length < 4) return undefined
  const view = new DataView(bytes.buffer)
  const size = view.getUint32(0, true)
  if (size % 4 !== 0 || size === 0 || size + 4 > bytes.length) return undefined
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true))
  const texts = bytes.subarray(4 + size)
  const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)
  const decoder = new TextDecoder()
  const textAt = (start: number): string | undefined => {
    if (start > texts.length) return undefined
    const end = texts.indexOf(0, start)
    return decoder.decode(texts.subarray(start, end < 0 ? texts.length : end))
  }
  return remembered((text) => {
    let at = offsetOf(units[0]!)
    for (const byte of encoder.encode(text)) {
      at = (at ^ byte) >>> 0
      const unit = units[at] ?? 0
      // A unit's label is its lowest byte; its top bit says that it is a value and has no label.
      if (byte === 0 || (unit & 0x800000ff) >>> 0 !== byte) return undefined
      at = (at ^ offsetOf(unit)) >>> 0
      if ((unit & 0x100) !== 0) return textAt((units[at] ?? 0) & 0x7fffffff)
    }
    return undefined
  })
}

/**
 * Adds the changes that put one text in the place of another; what is taken away without anything in its place goes with what
 * stood before.
 * @returns how many characters were taken away with nothing before them. (The Rust library forgets those, and the offsets of
 * all that follows are wrong by as many.)
 */
function put(changes: [string, number][], old: string, replacement: string): number {
  const characters = [...replacement]
  const difference = characters.length - [...old].length
  for (const [i, character] of characters.entries())
    changes.push([character, difference > 0 && i >= characters.length - difference ? 1 : 0])
  const last = changes.at(-1)
  if (last === undefined) return -difference
  if (difference < 0) last[1] += difference
  return 0
}

// eslint-disable-next-line no-control-regex -- ASCII as it is defined
const ASCII = /^[\x00-\x7f]*$/
const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })
const LONGEST = 6
/** The graphemes of a text, which in ASCII are its characters, but for a line end of two. */
const graphemes = (text: string): readonly string[] =>
  ASCII.test(text) ? (text.match(/\r\n|[^]/g) ?? []) : Array.from(segmenter.segment(text), ({ segment }) => segment)

/**
 * Normalizes as SentencePiece was told to when its model was trained: graphemes below six bytes by the rules, longer ones
 * character by character, which is how the Rust library reads them.
 */
export function normalizedByRules(given: AlignedText, rules: Rules): AlignedText {
  const changes: [string, number][] = []
  let any = false
  let skipped = 0
  const apply = (part: string): boolean => {
    const replacement = rules(part)
    if (replacement === undefined) return false
    any = true
    skipped += put(changes, part, replacement)
    return true
  }
  for (const grapheme of graphemes(given.text)) {
    if (Buffer.byteLength(grapheme) < LONGEST && apply(grapheme)) continue
    for (const character of grapheme) if (!apply(character)) changes.push([character, 0])
  }
  return any ? changed(given, changes as readonly Change[], skipped) : given
}
