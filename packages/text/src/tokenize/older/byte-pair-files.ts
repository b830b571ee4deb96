import { isRecord, parseJson } from '@attune/core'
import type { Json, OlderFolder, OlderTokenizer } from './older-files.js'

const decoder = new TextDecoder()

/** The families whose texts stand between `<s>` and `</s>`. */
const LIKE_ROBERTA = new Set(['roberta', 'bart', 'longformer', 'led', 'mvp'])

/** The ids of the tokens in a `vocab.json`. */
export function idsIn(folder: OlderFolder, name: string): ReadonlyMap<string, number> {
  let content: unknown
  try {
    content = parseJson(decoder.decode(folder.bytes(name)))
  } catch (cause) {
    return folder.refuse(`${name}: ${(cause as Error).message}`)
  }
  const entries = isRecord(content) ? Object.entries(content) : []
  const ids = entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1]))
  return ids.length === 0 || ids.length < entries.length ? folder.refuse(`${name} has no ids of tokens`) : new Map(ids)
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
  standing: [{ content: '<mask>', special: true, lstrip: true }],
  postProcessor: (idOf: (role: string) => readonly [token: string, id: number]): Json => ({
    type: 'RobertaProcessing',
    sep: idOf('sep_token'),
    cls: idOf('cls_token'),
    trim_offsets: true,
    add_prefix_space: spaceBefore,
  }),
})

/** The byte-level tokenizer of a `vocab.json` and the `merges.txt` that belongs to it: GPT-2's, RoBERTa's and their kin's. */
export function fromVocabularyAndMerges(folder: OlderFolder): OlderTokenizer {
  const ids = idsIn(folder, 'vocab.json')
  const lines = decoder.decode(folder.bytes('merges.txt')).split('\n')
  const merges = lines.filter((line) => line.trim() !== '' && !line.startsWith('#version'))
  const bad = merges.find((line) => !/^[^ ]+ [^ ]+\r?$/.test(line))
  if (bad !== undefined) folder.refuse(`merges.txt has a line that is no pair: ${JSON.stringify(bad.slice(0, 80))}`)
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
