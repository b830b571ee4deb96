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

/** Passes over a text; references nested more deeply are not legitimate markup. */
const PASSES = 8

/** Collects edits from the start of a text to its end. */
function editor(text: string) {
  const edits: Edit[] = []
  let at = 0
  return {
    edits,
    /** Keeps the text up to `end`. */
    keep: (end: number) => void (at = end),
    /** Replaces the text between the last edit, or kept text, and `end`. */
    replace(end: number, by: string): void {
      const until = Math.max(at, Math.min(end, text.length))
      if (until > at || by !== '') edits.push({ start: at, end: until, text: by })
      at = until
    },
  }
}

const ignore = (): void => undefined

/** Handlers of attributes, which are part of their tag. */
const ATTRIBUTES = { onattribdata: ignore, onattribentity: ignore, onattribend: ignore, onattribname: ignore }

/** Handlers of tokens that are neither text nor a tag. */
const notText = (remove: (start: number, end: number) => void) => ({
  oncomment: remove,
  ondeclaration: remove,
  onprocessinginstruction: remove,
  oncdata: remove,
})

/** Edits that remove the markup of a text and decode its references, one level deep. */
function passOver(text: string, blockText: string): readonly Edit[] {
  const { edits, keep, replace } = editor(text)
  let [name, isDropped] = ['', false]
  const nameTag = (start: number, end: number) => void (name = text.slice(start, end).toLowerCase())
  const tag = (end: number): void => replace(end, !isDropped && BLOCKS.has(name) ? blockText : '')
  const open = (end: number): void => {
    tag(end + 1)
    isDropped = DROPPED.has(name)
  }
  const remove = (_start: number, end: number): void => replace(end + 1, '')
  const tokenizer = new Tokenizer(
    {},
    {
      ...ATTRIBUTES,
      ontext(start, end) {
        replace(start, '')
        if (isDropped) replace(end, '')
        else keep(end)
      },
      ontextentity(codePoint, end) {
        replace(text.lastIndexOf('&', end - 1), '')
        replace(end, isDropped ? '' : String.fromCodePoint(codePoint))
      },
      onopentagname: nameTag,
      onopentagend: open,
      onselfclosingtag: open,
      onclosetag(start, end) {
        nameTag(start, end)
        const close = text.indexOf('>', end)
        isDropped = false
        tag(close < 0 ? text.length : close + 1)
      },
      ...notText(remove),
      onend: ignore,
    },
  )
  tokenizer.write(text)
  tokenizer.end()
  return edits
}

/**
 * Edits after which a text has no HTML markup, including markup that decoding or removal would produce. Text that still has some
 * after several passes, as only malicious input does, loses all `<` and `&`.
 * @param blockText white space that replaces tags of block elements
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
