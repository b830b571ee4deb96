import { WORD, isWhiteSpace } from './characters.js'
import type { AddedToken } from './added-ids.js'
import { textFinder } from './text-finder.js'
import type { Work } from './work.js'

/** A part of a text: an added token if it has an id, else text to be tokenized. */
export interface Part {
  readonly start: number
  readonly end: number
  readonly id?: number
}

const WORD_AT_END = new RegExp(`[${WORD}]$`, 'u')
const WORD_AT_START = new RegExp(`^[${WORD}]`, 'u')

/** True if a match of a `single_word` token is inside a longer word. */
const insideWord = (text: string, start: number, end: number): boolean =>
  WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) || WORD_AT_START.test(text.slice(end, end + 2))

/**
 * The range of a token with the spaces that it strips on its left from `from` on, and on its right. Like in the Rust library, a
 * token of spaces is found again among the spaces that the previous token strips.
 */
function reachOf(text: string, from: number, part: Part, token: AddedToken): Part {
  let { start, end } = part
  while (token.lstrip && start > from && isWhiteSpace(text[start - 1]!)) start--
  if (token.lstrip && start < from) start = from
  while (token.rstrip && end < text.length && isWhiteSpace(text[end]!)) end++
  return { start, end, id: token.id }
}

/** Steps per matched token, and per space that it strips. */
const [STEPS_PER_TOKEN, STEPS_PER_SPACE] = [40, 10]

/**
 * Creates a finder of added tokens in a text; the longest match at a position wins. Handles `single_word`, `lstrip` and
 * `rstrip`.
 * @param splitsSpecial leaves special tokens in the text to be tokenized
 */
export function addedTokenFinder(
  tokens: readonly AddedToken[],
  splitsSpecial = false,
): (text: string, work: Work) => readonly Part[] {
  // A token with a lone surrogate occurs in no well-formed text. The first one of equal contents wins.
  const byContent = new Map(tokens.toReversed().map((token) => [token.content, token]))
  const known = [...byContent.values()].filter(({ content }) => content.isWellFormed())
  if (known.length === 0) return (text) => (text === '' ? [] : [{ start: 0, end: text.length }])
  const find = textFinder(known.map(({ content }) => content))
  return (text, work) => {
    const parts: Part[] = []
    let from = 0
    const keep = (end: number): void => {
      if (end > from) parts.push({ start: from, end })
    }
    find(text, work, (start, index) => {
      work.spend(STEPS_PER_TOKEN)
      const token = known[index]!
      if (splitsSpecial && token.special) return
      const end = start + token.content.length
      if (token.single_word && insideWord(text, start, end)) return
      const reach = reachOf(text, from, { start, end }, token)
      if (reach.end <= reach.start) return
      work.spend(STEPS_PER_SPACE * (reach.end - reach.start - token.content.length))
      keep(reach.start)
      parts.push(reach)
      from = reach.end
    })
    keep(text.length)
    return parts
  }
}
