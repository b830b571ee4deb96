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

/** Words and Brown tags of each sentence of a file, one a line, `word/tag word/tag`. @param {string} text */
const taggedSentences = (text) =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first !== undefined && first !== '')
    .map((words) => ({
      words: words.map((word) => word.slice(0, word.lastIndexOf('/'))),
      brown: words.map((word) => word.slice(word.lastIndexOf('/') + 1)),
    }))
    .filter(({ words }) => words.every((word) => word !== ''))

/** Words and universal tags of each sentence of a file. @param {string} text */
export const sentencesOf = (text) =>
  taggedSentences(text).map(({ words, brown }) => ({ tokens: words, tags: brown.map(universalTag) }))

/** Kind of a word in an entity: a word of a title, a proper noun, or a number. @param {string} brown */
function entityKind(brown) {
  if (/-tl\b/.test(brown)) return 'TITLE'
  if (/^np/.test(brown)) return 'NAME'
  return /^cd/.test(brown) ? 'NUMBER' : 'O'
}

/**
 * BIO tags of a sentence. A run of proper nouns and words of titles is one entity: a TITLE (an institution, a city, an
 * office, a work) if the annotators marked one of its words as part of a title, and otherwise a NAME. A run of cardinal numbers is a NUMBER.
 * @param {string[]} brown
 */
export function entityTags(brown) {
  const kinds = brown.map(entityKind)
  const isName = kinds.map((kind) => kind === 'TITLE' || kind === 'NAME')
  return kinds.map((kind, i) => {
    if (kind === 'O') return 'O'
    const joins = i > 0 && (isName[i] ? isName[i - 1] : kinds[i - 1] === kind)
    if (!isName[i]) return `${joins ? 'I' : 'B'}-NUMBER`
    const start = isName.lastIndexOf(false, i) + 1
    const end = isName.indexOf(false, i)
    const label = kinds.slice(start, end < 0 ? undefined : end).includes('TITLE') ? 'TITLE' : 'NAME'
    return `${joins ? 'I' : 'B'}-${label}`
  })
}

/** Words and BIO tags of each sentence of a file. @param {string} text */
export const entitySentencesOf = (text) =>
  taggedSentences(text).map(({ words, brown }) => ({ words, tags: entityTags(brown) }))
