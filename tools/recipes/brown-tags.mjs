// @ts-check
/**
 * The tagged sentences of the Brown corpus with the twelve universal tags.
 * Source of the tags: Petrov, Das and McDonald, A Universal Part-of-Speech Tagset, 2012.
 */

/** Universal tag by the beginning of a Brown tag; the longest beginning decides. */
const UNIVERSAL = new Map(
  Object.entries({
    NOUN: 'nn np nr',
    VERB: 'vb be do hv md',
    ADJ: 'jj od',
    ADV: 'rb rn ql wrb wql *',
    ADP: 'in cs',
    CONJ: 'cc',
    DET: 'at dt ap abn abl abx wdt',
    PRON: 'pp pn wp ex',
    NUM: 'cd',
    PRT: 'rp to uh',
    '.': ". , : ( ) '' `` ' ` -- ; ? !",
    X: 'nil fw',
  }).flatMap(([tag, starts]) => starts.split(' ').map((start) => [start, tag])),
)

/** Universal tag of a Brown tag: `nn-tl` is a noun in a title, `fw-nn` a foreign word, `pps+bez` two words written as one. @param {string} brown */
export function universalTag(brown) {
  if (brown.startsWith('fw-')) return 'X'
  for (let length = brown.length; length > 0; length--) {
    const tag = UNIVERSAL.get(brown.slice(0, length))
    if (tag !== undefined) return tag
  }
  return 'X'
}

/** Words and tags of each sentence of a file, one a line, `word/tag word/tag`. @param {string} text */
export const sentencesOf = (text) =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first !== undefined && first !== '')
    .map((words) => ({
      tokens: words.map((word) => word.slice(0, word.lastIndexOf('/'))),
      tags: words.map((word) => universalTag(word.slice(word.lastIndexOf('/') + 1))),
    }))
    .filter(({ tokens }) => tokens.every((token) => token !== ''))
