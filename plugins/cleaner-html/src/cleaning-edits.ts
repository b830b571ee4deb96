import type { Edit } from '@attune/core'
import { applyEdits, composeEdits } from '@attune/data'
import { Tokenizer } from 'htmlparser2'

/** Elements whose content is not text. */
const DROPPED = new Set(['script', 'style', 'iframe', 'noembed', 'noframes'])
const BLOCKS = new Set(
  `address article aside blockquote br canvas caption center col colgroup dd details dialog dir div dl dt fieldset figcaption figure
  footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav noscript ol option optgroup p pre search section
  summary table tbody td textarea tfoot th thead title tr ul`.split(/\s+/),
)

/** Passes over a text; deeper references of references are not markup that somebody wrote. */
const PASSES = 8

/** Edits that remove the markup of a text and decode its references, each once. */
function passOver(text: string, blockText: string): readonly Edit[] {
  const edits: Edit[] = []
  let at = 0
  let name = ''
  let isDropped = false
  const replace = (end: number, by: string): void => {
    const until = Math.min(end, text.length)
    if (until > at || by !== '') edits.push({ start: at, end: Math.max(at, until), text: by })
    at = Math.max(at, until)
  }
  const markup = (end: number): void => replace(end, !isDropped && BLOCKS.has(name) ? blockText : '')
  const tokenizer = new Tokenizer(
    {},
    {
      ontext(start, end) {
        if (start > at) replace(start, '')
        if (isDropped) replace(end, '')
        else at = end
      },
      ontextentity(codePoint, end) {
        const start = text.lastIndexOf('&', end - 1)
        if (start > at) replace(start, '')
        replace(end, isDropped ? '' : String.fromCodePoint(codePoint))
      },
      onopentagname: (start, end) => void (name = text.slice(start, end).toLowerCase()),
      onopentagend(end) {
        markup(end + 1)
        isDropped = DROPPED.has(name)
      },
      onselfclosingtag(end) {
        markup(end + 1)
        isDropped = DROPPED.has(name)
      },
      onclosetag(start, end) {
        name = text.slice(start, end).toLowerCase()
        const close = text.indexOf('>', end)
        isDropped = false
        markup(close < 0 ? text.length : close + 1)
      },
      oncomment: (_start, end) => replace(end + 1, ''),
      ondeclaration: (_start, end) => replace(end + 1, ''),
      onprocessinginstruction: (_start, end) => replace(end + 1, ''),
      oncdata: (_start, end) => replace(end + 1, ''),
      onattribdata: () => undefined,
      onattribentity: () => undefined,
      onattribend: () => undefined,
      onattribname: () => undefined,
      onend: () => undefined,
    },
  )
  tokenizer.write(text)
  tokenizer.end()
  return edits
}

/**
 * Edits after which a text has no HTML markup, also none that decoding or removal brings about. Text that still has some after
 * several passes, which takes malice, loses all `<` and `&`.
 * @param blockText white space in the place of tags of blocks
 */
export function cleaningEdits(text: string, blockText: string): readonly Edit[] {
  let [current, all]: [string, readonly Edit[]] = [text, []]
  const then = (edits: readonly Edit[]): void => {
    all = composeEdits(all, edits)
    current = applyEdits(current, edits)
  }
  for (let pass = 0; pass < PASSES; pass++) {
    if (!/[<&]/.test(current)) return all
    const edits = passOver(current, blockText)
    if (edits.length === 0) return all
    then(edits)
  }
  if (passOver(current, blockText).length > 0)
    then([...current.matchAll(/[<&]/g)].map(({ index }) => ({ start: index, end: index + 1, text: '' })))
  return all
}
