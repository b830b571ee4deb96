import { AttuneError, type Tokenizer } from '@attune/core'
import { byteAlphabet } from './byte-alphabet.js'

/** How the tokens of a vocabulary are spelled. */
export interface Spelling {
  /** What a token adds to a text in whose middle it stands. */
  bytes(token: string): Uint8Array
  /** Whether the first token of a text brings a space along that is not meant: the vocabulary has it before each word. */
  readonly leadingSpace: boolean
}

/** A token on its way through a decoder; once it is bytes, it stays what it is. */
type Spelled = string | Uint8Array
type Step = (token: string) => Spelled
type Decoder = { readonly type: string } & Readonly<Record<string, unknown>>

/** What Rust's WordPiece decoder writes otherwise, in its order. */
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
  const alphabet = byteAlphabet()
  return (token) => {
    const bytes = Array.from(token, (character) => alphabet.get(character))
    // A token that was added as it is, and is not spelled in the alphabet.
    return bytes.includes(undefined) ? token : Uint8Array.from(bytes as number[])
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
    `which text a token adds must be known, and the tokenizer has a decoder that is not: ${what}`,
    'Constrain with a tokenizer of the byte-level, SentencePiece or WordPiece kind.',
  )

function replaceStep({ pattern, content }: Decoder): Step {
  const from = (pattern as { String?: string } | undefined)?.String
  if (from === undefined) throw unknown('Replace with an expression')
  return (token) => token.replaceAll(from, String(content))
}

/** The steps of a decoder in their order. */
const flat = (decoder: Decoder): Decoder[] =>
  decoder.type === 'Sequence' ? (decoder['decoders'] as Decoder[]).flatMap(flat) : [decoder]

/** What a step does to each token; what it does to the text as a whole does not touch its middle. */
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

/** Whether the beginning of a text loses a space, or has none, where each word has one. */
const dropsSpace = (decoder: Decoder): boolean =>
  decoder.type === 'WordPiece' ||
  (decoder.type === 'Metaspace' && decoder['prepend_scheme'] !== 'never') ||
  (decoder.type === 'Strip' && decoder['content'] === ' ' && Number(decoder['start']) > 0)

function spellingOfDecoder(decoder: Decoder | null): Spelling {
  const encoder = new TextEncoder()
  if (decoder === null) return { bytes: (token) => encoder.encode(` ${token}`), leadingSpace: true }
  const decoders = flat(decoder)
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

/** What a vocabulary looks like that comes without a description of its decoder. */
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
 * How a tokenizer's tokens are spelled: as the decoder of its `tokenizer.json` says, and where it has no such file, as its
 * vocabulary looks: `##` as in BERT, `▁` as in SentencePiece, `Ġ` as in GPT-2, else as they are.
 * @throws AttuneError `UNKNOWN_DECODER`
 */
export function spellingOf(tokenizer: Tokenizer, tokens: readonly (string | undefined)[]): Spelling {
  const file = tokenizer.files()['tokenizer.json'] as { readonly decoder?: Decoder | null } | undefined
  return spellingOfDecoder(file === undefined ? guessedDecoder(tokens) : (file.decoder ?? null))
}
