import { wordPieceParts } from '../word-piece-parts.js'
import type { OlderFolder, OlderTokenizer } from './older-files.js'

const decoder = new TextDecoder()

/** Tokens of a file with one token per line. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** WordPiece tokenizer of a `vocab.txt` with one token per line, as in BERT. */
export function fromVocabularyText(folder: OlderFolder): OlderTokenizer {
  const ids = new Map(linesOf(decoder.decode(folder.bytes('vocab.txt'))).map((token, id) => [token, id]))
  const { do_lower_case: lowercase, tokenize_chinese_chars: ideographs, strip_accents: accents } = folder.config
  const unknown = ['[UNK]', '<unk>'].find((token) => ids.has(token)) ?? folder.refuse('its vocabulary has no [UNK]')
  const parts = wordPieceParts(unknown, {
    lowercase: lowercase !== false,
    ideographs: ideographs !== false,
    accents: typeof accents === 'boolean' ? accents : null,
  })
  return {
    ids,
    roles: {
      unk_token: unknown,
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      mask_token: '[MASK]',
    },
    template: ['cls_token $A sep_token', 'cls_token $A sep_token $B:1 sep_token:1'],
    ...parts,
    model: { ...parts.model, vocab: Object.fromEntries(ids) },
  }
}
