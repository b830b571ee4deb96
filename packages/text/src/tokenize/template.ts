import { AttuneError, type EncodeOptions, type Encoding, type Side } from '@attune/core'
import type { TextTokens } from './text-tokens.js'
import type { Work } from './work.js'

/** An item of a template: special tokens, or the first or second text. */
export type TemplateItem =
  { readonly ids: readonly number[]; readonly type: number } | { readonly text: 'A' | 'B'; readonly type: number }

/** Templates of special tokens around one text and around a pair of texts. */
export interface Templates {
  readonly single: readonly TemplateItem[]
  readonly pair: readonly TemplateItem[]
}

/** A half-open range of tokens. */
type Range = readonly [start: number, end: number]

/** Numbers of tokens of two texts to keep, at most `budget` in total. Truncates the longer text first, like the Rust library. */
export function truncateLongestFirst(first: number, second: number, budget: number): readonly [number, number] {
  const [short, long] = [Math.min(first, second), Math.max(first, second)]
  if (short + long <= budget) return [first, second]
  const half = Math.floor(budget / 2)
  const kept = short <= half ? [short, budget - short] : [half, half + (budget % 2)]
  const [ofShort, ofLong] = kept as [number, number]
  return first <= second ? [ofShort, ofLong] : [ofLong, ofShort]
}

/** Windows of `size` tokens over a text that overlap by `stride` tokens; without a stride, only the first window. */
function windowsOf(length: number, size: number, side: Side, stride: number | undefined): readonly Range[] {
  if (length <= size) return [[0, length]]
  const first: Range = side === 'right' ? [0, size] : [length - size, length]
  if (stride === undefined) return [first]
  if (stride >= size)
    throw new AttuneError(
      'BAD_STRIDE',
      `expected a stride less than the ${size} text tokens of a window, got ${stride}`,
      'Use a larger `maximumLength` or a smaller `stride`.',
    )
  const windows = [first]
  for (let last = first; side === 'right' ? last[1] < length : last[0] > 0; windows.push(last)) {
    const start = side === 'right' ? last[0] + size - stride : Math.max(0, last[0] - (size - stride))
    const end = side === 'right' ? Math.min(length, start + size) : last[1] - (size - stride)
    last = [start, end]
  }
  return windows
}

/** Offsets of a token in the text. */
export type Trim = (text: string, tokens: TextTokens, at: number) => readonly [start: number, end: number]

/** A text with its tokens. */
export interface Tokenized {
  readonly text: string
  readonly tokens: TextTokens
}

/** Maximum size of all windows in bytes: a constant, plus a number per UTF-16 unit of the texts. */
const [WINDOW_BYTES, WINDOW_BYTES_PER_UNIT] = [96_000_000, 160]

/** @throws AttuneError `BAD_STRIDE` if the windows repeat the texts too often */
function checkWindowMemory(
  windows: number,
  size: number,
  { units, bytesPerToken }: { units: number; bytesPerToken: number },
) {
  const maximum = Math.floor((WINDOW_BYTES + WINDOW_BYTES_PER_UNIT * units) / bytesPerToken)
  if (windows * (size + TOKENS_PER_WINDOW) <= maximum) return
  throw new AttuneError(
    'BAD_STRIDE',
    `the windows of a text of ${units} characters must hold at most ${maximum} tokens in total, got ${windows} of ${size}`,
    'Use a smaller `stride`, and tokenize long pairs one by one.',
  )
}
/** Memory overhead of a window, in tokens. */
const TOKENS_PER_WINDOW = 10

/** Steps and bytes per token of an encoding, and bytes of its offsets. */
const [STEPS_PER_TOKEN, BYTES_PER_TOKEN, BYTES_PER_OFFSETS] = [8, 24, 64]

/** Fills a template with a range of tokens of each text. */
function fillTemplate(
  template: readonly TemplateItem[],
  texts: Readonly<Record<'A' | 'B', Tokenized & { readonly range: Range }>>,
  { offsets: withOffsets, trim, truncated }: { offsets: boolean; trim: Trim; truncated: boolean },
): Encoding {
  const [ids, typeIds, specialMask] = [[] as number[], [] as number[], [] as number[]]
  const offsets: (readonly [number, number])[] = []
  for (const item of template) {
    const special = 'ids' in item
    const { text, tokens, range } = special
      ? { text: '', tokens: undefined, range: [0, item.ids.length] as const }
      : texts[item.text]
    for (let i = range[0]; i < range[1]; i++) {
      ids.push(special ? item.ids[i]! : tokens!.ids[i]!)
      typeIds.push(item.type)
      if (!withOffsets) continue
      specialMask.push(special ? 1 : 0)
      offsets.push(tokens === undefined ? [0, 0] : trim(text, tokens, i))
    }
  }
  return { ids, typeIds, truncated, ...(withOffsets ? { offsets, specialMask } : {}) }
}

/**
 * Fills the templates with texts, truncated to `maximumLength` tokens (special tokens are always kept). With a stride, the rest
 * follows in overlapping windows: each of the first text with each of the second, as the Rust library pairs them.
 * @throws AttuneError `BAD_STRIDE` if the windows make no progress, or repeat the texts too often
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
  const special = template.reduce((sum, item) => sum + ('ids' in item ? item.ids.length : 0), 0)
  const [lengthA, lengthB] = [a.tokens.ids.length, second.tokens.ids.length]
  const [keepA, keepB] = truncateLongestFirst(lengthA, lengthB, Math.max(0, maximumLength - special))
  const [firstA, ...restA] = windowsOf(lengthA, keepA, truncationSide, stride)
  const [firstB, ...restB] = windowsOf(lengthB, keepB, truncationSide, stride)
  const kept = { A: keepA, B: keepB }
  const size = template.reduce((sum, item) => sum + ('ids' in item ? item.ids.length : kept[item.text]), 0)
  const bytesPerToken = offsets ? BYTES_PER_TOKEN + BYTES_PER_OFFSETS : BYTES_PER_TOKEN
  work.spend(STEPS_PER_TOKEN * size)
  work.hold(bytesPerToken * size)
  const how = { offsets, trim, truncated: keepA < lengthA || keepB < lengthB }
  const at = (rangeA: Range, rangeB: Range): Encoding =>
    fillTemplate(template, { A: { ...a, range: rangeA }, B: { ...second, range: rangeB } }, how)
  const whole = at(firstA!, firstB!)
  if (stride === undefined) return whole
  const units = a.text.length + second.text.length
  checkWindowMemory(restA.length * (1 + restB.length) + restB.length, size, { units, bytesPerToken })
  const windowsB = [firstB!, ...restB]
  const others = [
    ...restA.flatMap((rangeA) => windowsB.map((rangeB) => at(rangeA, rangeB))),
    ...restB.map((rangeB) => at(firstA!, rangeB)),
  ]
  return { ...whole, overflowing: others }
}
