import { type AlignedText, type Change, changed } from './aligned-text.js'

/** A normalization form of Unicode. */
export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** What can be joined or reordered: a character with the marks after it, and the vowels and finals of Hangul in every width. */
const CLUSTER = /(?:\P{M}|^)\p{M}*(?:[\u1161-\u1175\u11a8-\u11c2\u3131-\u318e\uffa1-\uffdc]\p{M}*)*/gu
// eslint-disable-next-line no-control-regex -- ASCII as it is defined, control characters included
const ASCII = /^[\x00-\x7f]*$/

/**
 * The changes that normalize a cluster. Characters are taken apart one by one; the reordered (and recomposed) whole tells
 * where each of the parts went.
 */
function changesOf(cluster: string, form: UnicodeForm): Change[] {
  const apart = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD'
  const parts = [...cluster].flatMap((character) =>
    [...character.normalize(apart)].map((part, i) => ({ part, change: i === 0 ? 0 : 1 })),
  )
  const take = (part: string): number => {
    const at = parts.findIndex((each) => each.part === part)
    return at < 0 ? 0 : parts.splice(at, 1)[0]!.change
  }
  return [...cluster.normalize(form)].map((character): Change => {
    const joined = form === apart ? [character] : [...character.normalize(apart)]
    return [character, joined.reduce((sum, part) => sum + take(part), 1 - joined.length)]
  })
}

/** A text in a normalization form, aligned with the original as the Rust library aligns it. */
export function unicodeForm(given: AlignedText, form: UnicodeForm): AlignedText {
  if (ASCII.test(given.text)) return given
  const clusters = given.text.match(CLUSTER) ?? []
  return changed(
    given,
    clusters.flatMap((cluster) => changesOf(cluster, form)),
  )
}
