import { BYTE_CHARACTERS } from './byte-level.js'
import type { CharacterSets } from './character-sets.js'
import { type Pattern, expressionOf } from './patterns.js'
import type { TokenizerFile } from './schema.js'
import { stepsIn } from './steps-in.js'
import type { Work } from './work.js'

/** A decoder step: maps the texts of tokens to other texts, at most one per token. Their concatenation is the decoded text. */
type Decoding = (tokens: readonly string[], work: Work) => readonly string[]
type Step = Extract<NonNullable<TokenizerFile['decoder']>, { type: string }>
/** A decoder step of one type. */
type Of<T extends string> = Exclude<Step, { type: 'Sequence' }> & { readonly type: T }

/** Steps per token, per copied unit, and per unit searched for a replacement. */
const [STEPS_PER_TOKEN, STEPS_PER_UNIT, STEPS_PER_REPLACED] = [20, 2, 30]

/** Bytes per text and per unit. */
const [BYTES_PER_TEXT, BYTES_PER_UNIT] = [40, 2]

const unitsIn = (texts: readonly string[]): number => {
  let units = 0
  for (const text of texts) units += text.length
  return units
}

/** Creates a step that maps each token independently. */
const each =
  (change: (token: string, index: number, count: number, work: Work) => string): Decoding =>
  (tokens, work) =>
    tokens.map((token, index) => change(token, index, tokens.length, work))

/** Replaces every occurrence of a text; an empty one occurs between all units. */
function replaceIn(text: string, search: string, by: string, work: Work): string {
  if (!text.includes(search)) return text
  work.spend(STEPS_PER_REPLACED * (text.length / Math.max(1, search.length)))
  if (by.length > search.length) work.hold(BYTES_PER_UNIT * text.length)
  return text.replaceAll(search, by)
}

const BYTES: ReadonlyMap<number, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character.charCodeAt(0), byte]),
)
const bytesDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Decodes byte-level characters as UTF-8; a character that represents no byte is a zero byte. */
function fromBytes(tokens: readonly string[]): string {
  const characters = tokens.join('')
  const bytes = new Uint8Array(characters.length)
  let length = 0
  for (let at = 0; at < characters.length; length++) {
    bytes[length] = BYTES.get(characters.charCodeAt(at)) ?? 0
    at += characters.codePointAt(at)! > 0xffff ? 2 : 1
  }
  return bytesDecoder.decode(bytes.subarray(0, length))
}

/** Decodes byte-level tokens; added tokens are kept verbatim. */
const byteLevel =
  (added: ReadonlySet<string>): Decoding =>
  (tokens) => {
    const texts: string[] = []
    let run: string[] = []
    const flush = (): void => {
      if (run.length > 0) texts.push(fromBytes(run))
      run = []
    }
    for (const token of tokens) {
      if (!added.has(token)) run.push(token)
      else {
        flush()
        texts.push(token)
      }
    }
    flush()
    return texts
  }

const fallbackDecoder = new TextDecoder()

/** The byte of a byte fallback token; NaN for other tokens. */
const byteOf = (token: string): number =>
  token.length === 6 && token.startsWith('<0x') && token.endsWith('>')
    ? Number.parseInt(token.slice(3, 5), 16)
    : Number.NaN

/** Decodes runs of byte fallback tokens such as `<0x0A>`. */
const byteFallback: Decoding = (tokens) => {
  const texts: string[] = []
  let bytes: number[] = []
  const flush = (): void => {
    if (bytes.length > 0) texts.push(fallbackDecoder.decode(Uint8Array.from(bytes)))
    bytes = []
  }
  for (const token of tokens) {
    const byte = byteOf(token)
    if (!Number.isNaN(byte)) bytes.push(byte)
    else {
      flush()
      texts.push(token)
    }
  }
  flush()
  return texts
}

/** Cleans up tokenization: removes spaces before punctuation and English contractions. */
function cleanUpTokenization(text: string, work: Work): string {
  // Most tokens need no cleanup, and ten searches are slow.
  if (!/ [.?!,'n]/.test(text)) return text
  work.spend(STEPS_PER_REPLACED * text.length)
  return text
    .replace(/ \./g, '.')
    .replace(/ \?/g, '?')
    .replace(/ !/g, '!')
    .replace(/ ,/g, ',')
    .replace(/ ' /g, "'")
    .replace(/ n't/g, "n't")
    .replace(/ 'm/g, "'m")
    .replace(/ 's/g, "'s")
    .replace(/ 've/g, "'ve")
    .replace(/ 're/g, "'re")
}

function wordPiece({ prefix, cleanup }: Of<'WordPiece'>): Decoding {
  const joined = (token: string): string =>
    prefix != null && prefix !== '' && token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
  return each((token, index, _, work) => {
    const text = index === 0 ? token : joined(token)
    return cleanup === true ? cleanUpTokenization(text, work) : text
  })
}

function metaspace({ replacement = '▁' }: Of<'Metaspace'>): Decoding {
  return each((token, index, _, work) => {
    const text = replaceIn(token, replacement, ' ', work)
    return index === 0 && text.startsWith(' ') ? text.slice(1) : text
  })
}

function strip({ content = '', start = 0, stop = 0 }: Of<'Strip'>): Decoding {
  return each((token) => {
    let [from, to] = [0, token.length]
    while (from < start && token[from] === content) from++
    while (token.length - to < stop && token[to - 1] === content) to--
    return token.slice(from, to)
  })
}

function replace({ pattern, content }: Of<'Replace'>, sets: CharacterSets): Decoding {
  const expression = expressionOf(pattern as Pattern, sets)
  return (tokens, work) => {
    let held = 0
    const texts = tokens.map((token) => {
      let [text, from] = ['', 0]
      expression.each(token, work, (start, end) => {
        work.spend(STEPS_PER_TOKEN + STEPS_PER_UNIT * content.length)
        work.hold(BYTES_PER_UNIT * content.length)
        held += BYTES_PER_UNIT * content.length
        text += token.slice(from, start) + content
        from = end
      })
      return from === 0 ? token : text + token.slice(from)
    })
    work.hold(-held)
    return texts
  }
}

/** Replaces the end-of-word suffix; an empty suffix occurs between all units of a token. */
const pairs = ({ suffix }: Of<'BPEDecoder'>): Decoding =>
  each((token, index, length, work) => replaceIn(token, suffix ?? '', index === length - 1 ? '' : ' ', work))

function decoderOfStep(step: Step, added: ReadonlySet<string>, sets: CharacterSets): Decoding {
  switch (step.type) {
    case 'ByteLevel':
      return byteLevel(added)
    case 'ByteFallback':
      return byteFallback
    case 'Fuse':
      return (tokens) => [tokens.join('')]
    case 'WordPiece':
      return wordPiece(step as Of<'WordPiece'>)
    case 'Metaspace':
      return metaspace(step as Of<'Metaspace'>)
    case 'Strip':
      return strip(step as Of<'Strip'>)
    case 'Replace':
      return replace(step as Of<'Replace'>, sets)
    default:
      return pairs(step as Of<'BPEDecoder'>)
  }
}

/** Decodes tokens to a text. */
export type Decode = (tokens: readonly string[], work: Work) => string

/**
 * The decoder of a tokenizer.json, which matches `@huggingface/tokenizers` 0.2.0; without a decoder, the tokens are joined with
 * spaces.
 * @param cleanUp removes the spaces before punctuation and English contractions at the end
 */
export function decoderOf(file: TokenizerFile, cleanUp: boolean, sets: CharacterSets): Decode {
  const added = new Set(file.added_tokens.map(({ content }) => content))
  const isSequence = file.decoder?.type === 'Sequence'
  // Only a decoder outside a sequence handles added tokens.
  const steps = stepsIn<Step>(file.decoder).map((step) => decoderOfStep(step, isSequence ? new Set() : added, sets))
  const suffix = file.decoder != null && file.model.type === 'BPE' ? (file.model.end_of_word_suffix ?? '') : ''
  return (tokens, work) => {
    work.part = 'decoder'
    let [texts, held] = [tokens, BYTES_PER_UNIT * unitsIn(tokens)]
    work.hold(held)
    for (const step of steps) {
      work.spend(STEPS_PER_TOKEN * texts.length + STEPS_PER_UNIT * unitsIn(texts))
      texts = step(texts, work)
      const taken = BYTES_PER_TEXT * texts.length + BYTES_PER_UNIT * unitsIn(texts)
      work.hold(taken - held)
      held = taken
    }
    work.spend(STEPS_PER_TOKEN * texts.length + unitsIn(texts))
    const text = texts.join(file.decoder == null ? ' ' : '')
    const whole = suffix === '' ? text : replaceIn(text, suffix, ' ', work).trim()
    return cleanUp ? cleanUpTokenization(whole, work) : whole
  }
}
