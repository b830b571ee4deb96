import { isRecord, parseJson } from '@attune/core'
import type { Json, OlderFolder, OlderTokenizer } from './older-files.js'

const decoder = new TextDecoder()

/** Model families whose texts are enclosed in `<s>` and `</s>`. */
const LIKE_ROBERTA = new Set(['roberta', 'bart', 'longformer', 'led', 'mvp'])

/** Token ids of a `vocab.json`. */
export function idsIn(folder: OlderFolder, name: string): ReadonlyMap<string, number> {
  let content: unknown
  try {
    content = parseJson(decoder.decode(folder.bytes(name)))
  } catch (cause) {
    return folder.refuse(`${name}: ${(cause as Error).message}`)
  }
  const entries = isRecord(content) ? Object.entries(content) : []
  const ids = entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1]))
  return ids.length === 0 || ids.length < entries.length
    ? folder.refuse(`${name}: expected an object of token ids`)
    : new Map(ids)
}

const likeGpt2 = (spaceBefore: boolean) => ({
  roles: { unk_token: '<|endoftext|>', bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' },
  postProcessor: (): Json => ({ type: 'ByteLevel', add_prefix_space: spaceBefore, trim_offsets: false }),
})

const likeRoberta = (spaceBefore: boolean) => ({
  roles: {
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    sep_token: '</s>',
    pad_token: '<pad>',
    cls_token: '<s>',
    mask_token: '<mask>',
  },
  addedTokens: [{ content: '<mask>', special: true, lstrip: true }],
  postProcessor: (idOf: (role: string) => readonly [token: string, id: number]): Json => ({
    type: 'RobertaProcessing',
    sep: idOf('sep_token'),
    cls: idOf('cls_token'),
    trim_offsets: true,
    add_prefix_space: spaceBefore,
  }),
})

/** Byte-level BPE tokenizer of a `vocab.json` and its `merges.txt`, as in GPT-2 and RoBERTa. */
export function fromVocabularyAndMerges(folder: OlderFolder): OlderTokenizer {
  const ids = idsIn(folder, 'vocab.json')
  const lines = decoder.decode(folder.bytes('merges.txt')).split('\n')
  const merges = lines.filter((line) => line.trim() !== '' && !line.startsWith('#version'))
  const bad = merges.find((line) => !/^[^ ]+ [^ ]+\r?$/.test(line))
  if (bad !== undefined)
    folder.refuse(`merges.txt: expected a pair of tokens, got the line ${JSON.stringify(bad.slice(0, 80))}`)
  const spaceBefore = folder.config['add_prefix_space'] === true
  return {
    ids,
    normalizer: null,
    preTokenizer: { type: 'ByteLevel', add_prefix_space: spaceBefore, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(ids),
      merges: merges.map((line) => line.trimEnd().split(' ')),
    },
    ...(LIKE_ROBERTA.has(folder.family) ? likeRoberta(spaceBefore) : likeGpt2(spaceBefore)),
  }
}
