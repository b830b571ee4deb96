/** Notation of spans of words as one tag per word: with `B-`, `I-` and `O`, and marks for ends and single words. */
export type TagScheme = 'BIO' | 'BIOES' | 'BILOU'

/** A labelled span of words, from `start` to before `end`. */
export interface TagSpan {
  readonly label: string
  readonly start: number
  readonly end: number
}

/** Prefixes of the first, an inner, the last and the only word of a span. */
const PREFIXES: Readonly<Record<TagScheme, readonly [first: string, inner: string, last: string, only: string]>> = {
  BIO: ['B', 'I', 'I', 'B'],
  BIOES: ['B', 'I', 'E', 'S'],
  BILOU: ['B', 'I', 'L', 'U'],
}

/** Prefix and label of a tag. A tag without a prefix continues a span of its own label; `O` and the empty tag are outside. */
function parsed(tag: string): { readonly prefix: string; readonly label: string | undefined } {
  if (tag === '' || tag === 'O') return { prefix: 'O', label: undefined }
  const [, prefix = 'I', label = tag] = /^([BIELSU])-(.+)$/s.exec(tag) ?? []
  return { prefix, label }
}

/**
 * Spans of a sequence of tags. A span begins at `B-`, `S-` or `U-`, after a span that ended, or where the label changes, so tags of every
 * scheme are read, IOB1 and inconsistent ones included, as by conlleval and seqeval's default mode.
 */
export function tagSpans(tags: readonly string[]): TagSpan[] {
  const spans: { label: string; start: number; end: number }[] = []
  let open = false
  for (const [at, tag] of tags.entries()) {
    const { prefix, label } = parsed(tag)
    const last = spans.at(-1)
    const continues = open && label === last!.label && !'BSU'.includes(prefix)
    if (continues) last!.end = at + 1
    else if (label !== undefined) spans.push({ label, start: at, end: at + 1 })
    open = label !== undefined && !'ESLU'.includes(prefix)
  }
  return spans
}

/** Tags of spans that do not overlap, in a scheme. */
export function tagsOfSpans(spans: readonly TagSpan[], length: number, scheme: TagScheme): string[] {
  const tags = Array<string>(length).fill('O')
  const [first, inner, last, only] = PREFIXES[scheme]
  for (const { label, start, end } of spans)
    for (let at = start; at < end; at++) {
      const prefix = end - start === 1 ? only : at === start ? first : at === end - 1 ? last : inner
      tags[at] = `${prefix}-${label}`
    }
  return tags
}

/** All tags of a scheme for labels of spans: `O`, then those of each label. */
export const schemeTags = (labels: readonly string[], scheme: TagScheme): string[] => [
  'O',
  ...labels.flatMap((label) => [...new Set(PREFIXES[scheme])].map((prefix) => `${prefix}-${label}`)),
]

/** Transitions that a scheme allows: at the first and at the last word, and from each tag (row) to each tag. */
export interface TagTransitions {
  readonly start: readonly boolean[]
  readonly end: readonly boolean[]
  readonly next: readonly (readonly boolean[])[]
}

/** The transitions between tags that a scheme allows: a span that began goes on until its end, and none goes on without a beginning. */
export function tagTransitions(tags: readonly string[], scheme: TagScheme): TagTransitions {
  const all = tags.map(parsed)
  const opens = ({ prefix }: { prefix: string }): boolean => 'BI'.includes(prefix)
  const continues = ({ prefix }: { prefix: string }): boolean => 'IEL'.includes(prefix)
  const mayStop = scheme === 'BIO' ? () => true : (tag: { prefix: string }) => !opens(tag)
  return {
    start: all.map((tag) => !continues(tag)),
    end: all.map((tag) => mayStop(tag)),
    next: all.map((from) => all.map((to) => (continues(to) ? opens(from) && from.label === to.label : mayStop(from)))),
  }
}
