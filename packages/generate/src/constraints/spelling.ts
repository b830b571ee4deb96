import { AttuneError, type Tokenizer } from '@attune/core'
import { byteAlphabet } from './byte-alphabet.js'

/** Conversion of a vocabulary's tokens to text. */
export interface Spelling {
  /** UTF-8 bytes that a token adds in the middle of a text. */
  bytes(token: string): Uint8Array
  /** True if the vocabulary puts a space before each word, so that the first token adds one that is not part of the text. */
  readonly leadingSpace: boolean
}

/** A token on its way through the steps of a decoder; bytes pass through unchanged. */
type Spelled = string | Uint8Array
type Step = (token: string) => Spelled
type Decoder = { readonly type: string } & Readonly<Record<string, unknown>>

/** Cleanup replacements of the WordPiece decoder of the Rust tokenizers library, in its order. */
const CLEANED = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const

function wordPieceStep({ prefix, cleanup }: Decoder): Step {
  const clean = (text: string): string =>
    cleanup === true ? CLEANED.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text) : text
  return (token) => clean(token.startsWith(String(prefix)) ? token.slice(String(prefix).length) : ` ${token}`)
}

function byteLevelStep(): Step {
  // Characters of the alphabet are below U+0200; −1 marks others.
  const byCharacter = new Int16Array(0x200).fill(-1)
  for (const [character, byte] of byteAlphabet()) byCharacter[character.charCodeAt(0)] = byte
  return (token) => {
    const bytes = new Uint8Array(token.length)
    for (let i = 0; i < token.length; i++) {
      const byte = byCharacter[token.charCodeAt(i)] ?? -1
      // An added token that is not spelled in the byte alphabet.
      if (byte === -1) return token
      bytes[i] = byte
    }
    return bytes
  }
}

const byteFallbackStep = (): Step => (token) =>
  /^<0x[0-9a-fA-F]{2}>$/.test(token) ? Uint8Array.of(parseInt(token.slice(3, 5), 16)) : token

function stripStep({ content, start, stop }: Decoder): Step {
  return (token) => {
    const characters = Array.from(token)
    let [from, to] = [0, characters.length]
    while (from < Number(start) && characters[from] === content) from++
    while (characters.length - to < Number(stop) && to > from && characters[to - 1] === content) to--
    return characters.slice(from, to).join('')
  }
}

const unknown = (what: string): AttuneError =>
  new AttuneError(
    'UNKNOWN_DECODER',
    `the tokenizer has a decoder that constraints do not support: ${what}`,
    'Use a tokenizer of the byte-level, SentencePiece or WordPiece kind.',
  )

function replaceStep({ pattern, content }: Decoder): Step {
  const from = (pattern as { String?: string } | undefined)?.String
  if (from === undefined) throw unknown('Replace with a regular expression')
  return (token) => token.replaceAll(from, String(content))
}

/** Steps of a decoder in order. */
const flattened = (decoder: Decoder): Decoder[] =>
  decoder.type === 'Sequence' ? (decoder['decoders'] as Decoder[]).flatMap(flattened) : [decoder]

/** Effect of a decoder step on each token. Effects on the whole text, after Fuse, do not change its middle. */
function stepOf(decoder: Decoder, fused: boolean): Step {
  if (decoder.type === 'WordPiece') return wordPieceStep(decoder)
  if (decoder.type === 'ByteLevel') return byteLevelStep()
  if (decoder.type === 'ByteFallback') return byteFallbackStep()
  if (decoder.type === 'Metaspace') return (token) => token.replaceAll(String(decoder['replacement']), ' ')
  if (decoder.type === 'Replace') return replaceStep(decoder)
  if (decoder.type === 'Fuse') return (token) => token
  if (decoder.type === 'Strip') return fused ? (token) => token : stripStep(decoder)
  throw unknown(decoder.type)
}

/** True if the decoder drops the space before the first word. */
const dropsSpace = (decoder: Decoder): boolean =>
  decoder.type === 'WordPiece' ||
  (decoder.type === 'Metaspace' && decoder['prepend_scheme'] !== 'never') ||
  (decoder.type === 'Strip' && decoder['content'] === ' ' && Number(decoder['start']) > 0)

function spellingOfDecoder(decoder: Decoder | null): Spelling {
  const encoder = new TextEncoder()
  if (decoder === null) return { bytes: (token) => encoder.encode(` ${token}`), leadingSpace: true }
  const decoders = flattened(decoder)
  const fuse = decoders.findIndex(({ type }) => type === 'Fuse')
  const steps = decoders.map((each, i) => stepOf(each, fuse >= 0 && i > fuse))
  const spelled = (token: string): Spelled =>
    steps.reduce<Spelled>((text, step) => (typeof text === 'string' ? step(text) : text), token)
  return {
    bytes(token) {
      const text = spelled(token)
      return typeof text === 'string' ? encoder.encode(text) : text
    },
    leadingSpace: decoders.some(dropsSpace),
  }
}

/** Guesses the decoder of a vocabulary without a `tokenizer.json`. */
function guessedDecoder(tokens: readonly (string | undefined)[]): Decoder {
  const any = (sign: string): boolean => tokens.some((token) => token !== sign && token?.startsWith(sign))
  if (any('##')) return { type: 'WordPiece', prefix: '##', cleanup: false }
  if (any('▁')) {
    const space = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' }
    return { type: 'Sequence', decoders: [space, { type: 'ByteFallback' }] }
  }
  return { type: any('Ġ') ? 'ByteLevel' : 'Fuse' }
}

/**
 * Returns the spelling of a tokenizer's tokens, from the decoder in its `tokenizer.json`. Without that file, it is guessed from the
 * vocabulary: `##` as in BERT, `▁` as in SentencePiece, `Ġ` as in GPT-2, else the tokens unchanged.
 * @throws AttuneError `UNKNOWN_DECODER`
 */
export function spellingOf(tokenizer: Tokenizer, tokens: readonly (string | undefined)[]): Spelling {
  const file = tokenizer.files()['tokenizer.json'] as { readonly decoder?: Decoder | null } | undefined
  return spellingOfDecoder(file === undefined ? guessedDecoder(tokens) : (file.decoder ?? null))
}
