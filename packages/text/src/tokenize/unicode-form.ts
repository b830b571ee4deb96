import { type AlignedText, rewriter } from './aligned-text.js'
import { codePointSet } from './code-points.js'
import { markNormalizer } from './combining-marks.js'
import type { Work } from './work.js'

/** A Unicode normalization form. */
export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** Normalizes a text, aligned with the original as in the Rust library. */
export type UnicodeNormalizer = (input: AlignedText, work: Work) => AlignedText

/** Characters that combine with the previous one: marks, and the vowels, finals and voicing marks that follow letters. */
const JOINING = /^[\p{M}\u1161-\u1175\u11a8-\u11c2\u3131-\u318e\uff9e\uff9f\uffa1-\uffdc]$/u
// eslint-disable-next-line no-control-regex -- ASCII by definition, control characters included
const ASCII = /^[\x00-\x7f]*$/

/** A character of a normalized text and its alignment: see `put` of `Rewriter`. */
type Change = readonly [character: string, change: number]

/** Maximum cluster length for `String.prototype.normalize` and for the cache, in units, and the size of the cache. */
const [LONGEST, REMEMBERED_UNITS, REMEMBERED] = [64, 8, 2 ** 14]
/** Steps per cluster, per unit (normalizing takes about 200 ns) and per unit of a long cluster; per lookup; per ASCII unit. */
const [STEPS_PER_CLUSTER, STEPS_PER_UNIT, STEPS_PER_LONG_UNIT, STEPS_TO_RECALL, STEPS_PER_ASCII] = [
  100, 120, 180, 12, 10,
]

/**
 * The changes that normalize a cluster. Decomposes characters one by one, and finds the origin of each part in the reordered
 * (and recomposed) cluster.
 */
function changesOf(cluster: string, form: UnicodeForm, normalizeMarks: ReturnType<typeof markNormalizer>): Change[] {
  const apart = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD'
  const parts: string[] = []
  /** Remaining changes of the occurrences of each part, last first. */
  const changes = new Map<string, number[]>()
  for (const character of cluster)
    for (const [i, part] of [...character.normalize(apart)].entries()) {
      parts.push(part)
      const known = changes.get(part)
      if (known === undefined) changes.set(part, [i === 0 ? 0 : 1])
      else known.push(i === 0 ? 0 : 1)
    }
  for (const each of changes.values()) each.reverse()
  const normalized = cluster.length <= LONGEST ? cluster.normalize(form) : normalizeMarks(parts, form !== apart)
  return [...normalized].map((character): Change => {
    if (form === apart) return [character, changes.get(character)?.pop() ?? 0]
    const joined = [...character.normalize(apart)]
    return [character, joined.reduce((sum, part) => sum + (changes.get(part)?.pop() ?? 0), 1 - joined.length)]
  })
}

/** Creates the normalizer of a form. */
export function unicodeNormalizer(form: UnicodeForm): UnicodeNormalizer {
  const joins = codePointSet((character) => JOINING.test(character))
  const normalizeMarks = markNormalizer()
  const known = new Map<string, readonly Change[]>()
  const recall = (cluster: string, work: Work): readonly Change[] => {
    work.spend(STEPS_TO_RECALL)
    const found = known.get(cluster)
    if (found !== undefined) return found
    const stepsPerUnit = cluster.length <= LONGEST ? STEPS_PER_UNIT : STEPS_PER_LONG_UNIT
    work.spend(STEPS_PER_CLUSTER + stepsPerUnit * cluster.length)
    const made = changesOf(cluster, form, normalizeMarks)
    if (cluster.length <= REMEMBERED_UNITS && known.size < REMEMBERED) known.set(cluster, made)
    return made
  }
  return (input, work) => {
    const { text } = input
    if (ASCII.test(text)) return input
    work.spend(STEPS_PER_ASCII * text.length)
    const made = rewriter(input)
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at)!
      let end = at + (code > 0xffff ? 2 : 1)
      for (let next = text.codePointAt(end); next !== undefined && joins(next); next = text.codePointAt(end))
        end += next > 0xffff ? 2 : 1
      if (end === at + 1 && code < 0x80) made.put(text[at]!, 0)
      else for (const [character, change] of recall(text.slice(at, end), work)) made.put(character, change)
      at = end
    }
    return made.done()
  }
}
