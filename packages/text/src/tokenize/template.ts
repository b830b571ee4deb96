import { AttuneError, type EncodeOptions, type Encoding, type Side } from '@attune/core'
import type { TextTokens } from './text-tokens.js'
import type { Work } from './work.js'

/** One place of a template: special tokens, or the first or second text. */
export type Piece =
  { readonly ids: readonly number[]; readonly type: number } | { readonly text: 'A' | 'B'; readonly type: number }

/** How special tokens stand around one text and around two. */
export interface Templates {
  readonly single: readonly Piece[]
  readonly pair: readonly Piece[]
}

/** The tokens of a text from one to before another. */
type Range = readonly [start: number, end: number]

/** How many tokens of two texts to keep, at most `budget` in all, cutting the longer one first, as the Rust library does. */
export function keepLongestFirst(first: number, second: number, budget: number): readonly [number, number] {
  const [short, long] = [Math.min(first, second), Math.max(first, second)]
  if (short + long <= budget) return [first, second]
  const half = Math.floor(budget / 2)
  const kept = short <= half ? [short, budget - short] : [half, half + (budget % 2)]
  const [ofShort, ofLong] = kept as [number, number]
  return first <= second ? [ofShort, ofLong] : [ofLong, ofShort]
}

/** Windows of `size` tokens over a text, of which neighbours share `stride`; only the first without a stride. */
function windowsOf(length: number, size: number, side: Side, stride: number | undefined): readonly Range[] {
  if (length <= size) return [[0, length]]
  const first: Range = side === 'right' ? [0, size] : [length - size, length]
  if (stride === undefined) return [first]
  if (stride >= size)
    throw new AttuneError(
      'BAD_STRIDE',
      `a stride must be less than the tokens of a text that a window holds, here ${size}, got ${stride}`,
      'Ask for longer windows (`maximumLength`) or for a smaller `stride`.',
    )
  const windows = [first]
  for (let last = first; side === 'right' ? last[1] < length : last[0] > 0; windows.push(last)) {
    const start = side === 'right' ? last[0] + size - stride : Math.max(0, last[0] - (size - stride))
    const end = side === 'right' ? Math.min(length, start + size) : last[1] - (size - stride)
    last = [start, end]
  }
  return windows
}

/** The part of the text that a token came from, from its start to before its end. */
export type Trim = (text: string, tokens: TextTokens, at: number) => readonly [start: number, end: number]

/** A text with its tokens. */
export interface Tokenized {
  readonly text: string
  readonly tokens: TextTokens
}

/** Bytes that all windows hold at most: so many, and so many more for each UTF-16 unit of the texts. */
const [WINDOW_BYTES, WINDOW_BYTES_PER_UNIT] = [96_000_000, 160]

/** @throws AttuneError `BAD_STRIDE` if windows would repeat the texts too often */
function requireFew(windows: number, size: number, { units, bytesPerToken }: { units: number; bytesPerToken: number }) {
  const most = Math.floor((WINDOW_BYTES + WINDOW_BYTES_PER_UNIT * units) / bytesPerToken)
  if (windows * (size + TOKENS_PER_WINDOW) <= most) return
  throw new AttuneError(
    'BAD_STRIDE',
    `the windows of a text of ${units} characters must hold at most ${most} tokens in all, got ${windows} of ${size}`,
    'Ask for a smaller `stride`, and tokenize long pairs one by one.',
  )
}
/** Tokens that take as much memory as a window takes besides its own. */
const TOKENS_PER_WINDOW = 10

/** Steps and bytes for a token of an encoding: with offsets it takes an object of its own. */
const [STEPS_PER_TOKEN, BYTES_PER_TOKEN, BYTES_PER_OFFSETS] = [8, 24, 64]

/** Fills a template with a range of each text. */
function filled(
  template: readonly Piece[],
  texts: Readonly<Record<'A' | 'B', Tokenized & { readonly range: Range }>>,
  { offsets: withOffsets, trim, truncated }: { offsets: boolean; trim: Trim; truncated: boolean },
): Encoding {
  const [ids, typeIds, specialMask] = [[] as number[], [] as number[], [] as number[]]
  const offsets: (readonly [number, number])[] = []
  for (const piece of template) {
    const special = 'ids' in piece
    const { text, tokens, range } = special
      ? { text: '', tokens: undefined, range: [0, piece.ids.length] as const }
      : texts[piece.text]
    for (let i = range[0]; i < range[1]; i++) {
      ids.push(special ? piece.ids[i]! : tokens!.ids[i]!)
      typeIds.push(piece.type)
      if (!withOffsets) continue
      specialMask.push(special ? 1 : 0)
      offsets.push(tokens === undefined ? [0, 0] : trim(text, tokens, i))
    }
  }
  return { ids, typeIds, truncated, ...(withOffsets ? { offsets, specialMask } : {}) }
}

/**
 * Puts texts into a template, cut so that no more than `maximumLength` tokens result (never below the special ones). With a
 * stride, what was cut follows in windows: each of the first text with each of the second, as the Rust library pairs them.
 * @throws AttuneError `BAD_STRIDE` if windows would not get on, or would repeat the texts too often
 */
export function fill(
  { single, pair }: Templates,
  a: Tokenized,
  b: Tokenized | undefined,
  { maximumLength = Infinity, truncationSide = 'right', stride, offsets = false }: EncodeOptions,
  { trim, work }: { readonly trim: Trim; readonly work: Work },
): Encoding {
  work.part = 'post_processor'
  const template = b === undefined ? single : pair
  const second = b ?? { text: '', tokens: { ids: [], starts: [], ends: [] } }
  const special = template.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0)
  const [lengthA, lengthB] = [a.tokens.ids.length, second.tokens.ids.length]
  const [keepA, keepB] = keepLongestFirst(lengthA, lengthB, Math.max(0, maximumLength - special))
  const [firstA, ...restA] = windowsOf(lengthA, keepA, truncationSide, stride)
  const [firstB, ...restB] = windowsOf(lengthB, keepB, truncationSide, stride)
  const kept = { A: keepA, B: keepB }
  const size = template.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : kept[piece.text]), 0)
  const bytesPerToken = offsets ? BYTES_PER_TOKEN + BYTES_PER_OFFSETS : BYTES_PER_TOKEN
  work.spend(STEPS_PER_TOKEN * size)
  work.hold(bytesPerToken * size)
  const how = { offsets, trim, truncated: keepA < lengthA || keepB < lengthB }
  const at = (rangeA: Range, rangeB: Range): Encoding =>
    filled(template, { A: { ...a, range: rangeA }, B: { ...second, range: rangeB } }, how)
  const whole = at(firstA!, firstB!)
  if (stride === undefined) return whole
  const units = a.text.length + second.text.length
  requireFew(restA.length * (1 + restB.length) + restB.length, size, { units, bytesPerToken })
  const windowsB = [firstB!, ...restB]
  const others = [
    ...restA.flatMap((rangeA) => windowsB.map((rangeB) => at(rangeA, rangeB))),
    ...restB.map((rangeB) => at(firstA!, rangeB)),
  ]
  return { ...whole, overflowing: others }
}
