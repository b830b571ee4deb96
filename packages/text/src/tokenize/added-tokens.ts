import { WORD, isWhiteSpace } from './characters.js'
import { anyOf } from './patterns.js'
import type { TokenizerFile } from './schema.js'

/** A part of a text: an added token where it has an id, else text that is still to be cut. */
export interface Part {
  readonly start: number
  readonly end: number
  readonly id?: number
}

type AddedToken = TokenizerFile['added_tokens'][number]

const WORD_AT_END = new RegExp(`[${WORD}]$`, 'u')
const WORD_AT_START = new RegExp(`^[${WORD}]`, 'u')

/** Whether a token that may only be a word of its own is a part of one. */
const insideWord = (text: string, start: number, end: number): boolean =>
  WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) || WORD_AT_START.test(text.slice(end, end + 2))

/** The place of a token with the spaces that it takes; those before `from` are taken already. */
function reachOf(text: string, from: number, part: Part, token: AddedToken): Part {
  let { start, end } = part
  while (token.lstrip && start > from && isWhiteSpace(text[start - 1]!)) start--
  while (token.rstrip && end < text.length && isWhiteSpace(text[end]!)) end++
  return { start, end, id: token.id }
}

/**
 * Finds added tokens in a text: of several at one place the longest. A token may ask to stand as a word of its own and to take
 * the spaces on its left or right.
 */
export function addedTokenFinder(tokens: readonly AddedToken[]): (text: string) => readonly Part[] {
  if (tokens.length === 0) return (text) => (text === '' ? [] : [{ start: 0, end: text.length }])
  const byContent = new Map(tokens.map((token) => [token.content, token]))
  const expression = anyOf([...byContent.keys()])
  return (text) => {
    const parts: Part[] = []
    let from = 0
    const keep = (end: number): void => {
      if (end > from) parts.push({ start: from, end })
    }
    for (const { index: start, 0: content } of text.matchAll(expression)) {
      const token = byContent.get(content)!
      const end = start + content.length
      if (start < from || (token.single_word && insideWord(text, start, end))) continue
      const reach = reachOf(text, from, { start, end }, token)
      keep(reach.start)
      parts.push(reach)
      from = reach.end
    }
    keep(text.length)
    return parts
  }
}
