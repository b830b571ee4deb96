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

const encoder = new TextEncoder()
/** Maximum number of UTF-8 bytes per UTF-16 unit. */
const BYTES_OF_UNIT = 3

/** Writes the bytes of byte-level characters; returns the end, or −1 if a character represents no byte. */
function writeBytes(token: string, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < token.length; i++) {
    const byte = BYTES.get(token.charCodeAt(i))
    if (byte === undefined) return -1
    bytes[at++] = byte
  }
  return at
}

/** Decodes byte-level tokens as UTF-8. A token with a character that represents no byte is kept verbatim. */
const byteLevel: Decoding = (tokens) => {
  const bytes = new Uint8Array(BYTES_OF_UNIT * unitsIn(tokens))
  let length = 0
  for (const token of tokens) {
    const end = writeBytes(token, bytes, length)
    length = end >= 0 ? end : length + encoder.encodeInto(token, bytes.subarray(length)).written
  }
  return [bytesDecoder.decode(bytes.subarray(0, length))]
}

const fallbackDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/** The byte of a byte fallback token; NaN for other tokens. */
const byteOf = (token: string): number =>
  /^<0x[+\da-f][\da-f]>$/i.test(token) ? Number.parseInt(token.slice(3, 5), 16) : Number.NaN

/** Bytes as UTF-8; if they are not valid, a replacement character for each. */
function textOf(bytes: readonly number[]): readonly string[] {
  try {
    return [fallbackDecoder.decode(Uint8Array.from(bytes))]
  } catch {
    return bytes.map(() => '\ufffd')
  }
}

/** Decodes runs of byte fallback tokens such as `<0x0A>`. */
const byteFallback: Decoding = (tokens) => {
  const texts: string[] = []
  let bytes: number[] = []
  const flush = (): void => {
    if (bytes.length > 0) texts.push(...textOf(bytes))
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

/**
 * Cleans up tokenization: removes spaces before punctuation and English contractions.
 * @param contracts replaces ` do not`, too
 */
function cleanUpTokenization(text: string, work: Work, contracts = false): string {
  // Most tokens need no cleanup, and ten searches are slow.
  if (!/ [.?!,'nd]/.test(text)) return text
  work.spend(STEPS_PER_REPLACED * text.length)
  const made = text
    .replace(/ \./g, '.')
    .replace(/ \?/g, '?')
    .replace(/ !/g, '!')
    .replace(/ ,/g, ',')
    .replace(/ ' /g, "'")
    .replace(/ n't/g, "n't")
    .replace(/ 'm/g, "'m")
  return (contracts ? made.replace(/ do not/g, " don't") : made)
    .replace(/ 's/g, "'s")
    .replace(/ 've/g, "'ve")
    .replace(/ 're/g, "'re")
}

function wordPiece({ prefix = '##', cleanup = true }: Of<'WordPiece'>): Decoding {
  const joined = (token: string): string => (token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`)
  return each((token, index, _, work) => {
    const text = index === 0 ? token : joined(token)
    return cleanup ? cleanUpTokenization(text, work, true) : text
  })
}

function metaspace({ replacement = '▁', prepend_scheme: scheme }: Of<'Metaspace'>): Decoding {
  // The first token loses all of them, like in the Rust library.
  return each((token, index, _, work) =>
    replaceIn(token, replacement, index === 0 && scheme !== 'never' ? '' : ' ', work),
  )
}

function strip({ content, start, stop }: Of<'Strip'>): Decoding {
  const width = content.length
  return each((token) => {
    let [from, to] = [0, token.length]
    for (let n = 0; n < start && token.startsWith(content, from); n++) from += width
    for (let n = 0; n < stop && to - width >= from && token.endsWith(content, to); n++) to -= width
    return token.slice(from, to)
  })
}

/** Connectionist temporal classification (CTC): drops repeated tokens and the padding token. */
function ctc({ pad_token: pad, word_delimiter_token: delimiter, cleanup }: Of<'CTC'>): Decoding {
  return (tokens, work) =>
    tokens.flatMap((token, index) => {
      if (index > 0 && token === tokens[index - 1]) return []
      const text = replaceIn(token, pad, '', work)
      const clean = cleanup ? replaceIn(cleanUpTokenization(text, work, true), delimiter, ' ', work) : text
      return clean === '' ? [] : [clean]
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
  each((token, index, length, work) => replaceIn(token, suffix ?? '</w>', index === length - 1 ? '' : ' ', work))

function decoderOfStep(step: Step, sets: CharacterSets): Decoding {
  switch (step.type) {
    case 'ByteLevel':
      return byteLevel
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
    case 'CTC':
      return ctc(step as Of<'CTC'>)
    default:
      return pairs(step as Of<'BPEDecoder'>)
  }
}

/** Decodes tokens to a text. */
export type Decode = (tokens: readonly string[], work: Work) => string

/** Changes to the text that the decoder of a file makes. */
export interface DecodedText {
  /** Removes the spaces before punctuation and English contractions. */
  readonly cleanUp: boolean
  /** Replaces the end-of-word suffix of a BPE model by a space, as the tokenizer of CLIP does. */
  readonly endsWords: boolean
}

/** The decoder of a tokenizer.json, which matches the Rust library; without a decoder, the tokens are joined with spaces. */
export function decoderOf(file: TokenizerFile, { cleanUp, endsWords }: DecodedText, sets: CharacterSets): Decode {
  const steps = stepsIn<Step>(file.decoder).map((step) => decoderOfStep(step, sets))
  const suffix = endsWords && file.model.type === 'BPE' ? (file.model.end_of_word_suffix ?? '') : ''
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
