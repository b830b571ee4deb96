import { type Runtime, charge, concat } from '../runtime.js'
import { isSpace } from './characters.js'
import { lengthOf, slicePoints } from './points.js'
import { countOf } from './split.js'

/** Format of links. */
export interface LinkStyle {
  /** Maximum length of a link's text in characters. */
  readonly limit: number | undefined
  /** Escaped `rel` attribute of links. */
  readonly rel: string
  /** Escaped `target` attribute of links; none if empty. */
  readonly target: string
  readonly schemes: readonly string[]
}

const W = String.raw`\p{L}\p{N}_`
const HTTP = new RegExp(
  `^((https?://|www\\.)(([${W}%-]+\\.)+)?([a-z]{2,63}|xn--[${W}%]{2,59})|([${W}%-]{2,63}\\.)+(com|net|int|edu|gov|org|info|mil)|(https?://)((\\p{Nd}{1,3}(\\.\\p{Nd}{1,3}){3})|(\\[([\\p{Nd}a-f]{0,4}:){2}([\\p{Nd}a-f]{0,4}:?){1,6}\\])))(?::\\p{Nd}{1,5})?(?:[/?#][^\\s]*)?\\n?$`,
  'iu',
)
const EMAIL = new RegExp(`^[^\\s]+@[${W}][${W}.-]*\\.[${W}]+\\n?$`, 'u')

const HEAD = /^(?:[(<]|&lt;)+/
const TAILS = [')', '>', '.', ',', '\n', '&gt;']
const PAIRS = [
  ['(', ')'],
  ['<', '>'],
  ['&lt;', '&gt;'],
] as const

/** Start index of the trailing punctuation of a word. */
function startOfTail(word: string): number {
  let start = word.length
  for (;;) {
    const mark = TAILS.find((each) => word.endsWith(each, start) && start >= each.length)
    if (mark === undefined) return start
    start -= mark.length
  }
}

/** Index after a number of occurrences of a mark in a text. */
function indexAfter(text: string, mark: string, count: number): number {
  let at = 0
  for (let left = count; left > 0; left--) at = text.indexOf(mark, at) + mark.length
  return at
}

/** End index of a word's link; closing brackets belong to it if they match opening ones in it. */
function endOfLink(rt: Runtime, word: string): number {
  let end = startOfTail(word)
  for (const [open, close] of PAIRS) {
    const [middle, tail] = [word.slice(0, end), word.slice(end)]
    const opened = countOf(rt, middle, open)
    if (opened > countOf(rt, middle, close)) end += indexAfter(tail, close, Math.min(opened, countOf(rt, tail, close)))
  }
  return end
}

function linkify(rt: Runtime, text: string, style: LinkStyle): string {
  const rest =
    (style.rel === '' ? '' : ` rel="${style.rel}"`) + (style.target === '' ? '' : ` target="${style.target}"`)
  const { limit } = style
  const link = (to: string, shown: string, more: string): string => {
    rt.hold(4 * (to.length + shown.length + more.length))
    return `<a href="${to}"${more}>${shown}</a>`
  }
  if (HTTP.test(text)) {
    const size = lengthOf(rt, text)
    const kept = limit === undefined ? 0 : limit < 0 ? Math.max(0, size + limit) : limit
    const shown = limit !== undefined && size > limit ? `${slicePoints(rt, text, 0, kept)}...` : text
    return link(/^https?:\/\//.test(text) ? text : `https://${text}`, shown, rest)
  }
  if (text.startsWith('mailto:') && EMAIL.test(text.slice(7))) return link(text, text.slice(7), '')
  const isAddress = text.includes('@') && !/^(?:www\.|@)/.test(text) && !text.includes(':')
  if (isAddress && EMAIL.test(text)) return link(`mailto:${text}`, text, '')
  let made = text
  for (const scheme of style.schemes) {
    rt.spend(8 + (Math.min(made.length, scheme.length) >> 2))
    if (made !== scheme && made.startsWith(scheme)) made = link(made, made, rest)
  }
  return made
}

/** Turns the URLs and e-mail addresses in an escaped text into links, like Jinja2's `urlize`. */
export function urlize(rt: Runtime, text: string, style: LinkStyle): string {
  charge(rt, text)
  rt.spend(60 * text.length)
  rt.hold(30 * text.length)
  let made = ''
  for (let at = 0; at < text.length;) {
    let end = at
    const isGap = isSpace(text.charCodeAt(at))
    while (end < text.length && isSpace(text.charCodeAt(end)) === isGap) end++
    const word = text.slice(at, end)
    const head = isGap ? word : (HEAD.exec(word)?.[0] ?? '')
    const rest = word.slice(head.length)
    const split = endOfLink(rt, rest)
    made = concat(rt, made, head + linkify(rt, rest.slice(0, split), style) + rest.slice(split))
    at = end
  }
  return made
}
