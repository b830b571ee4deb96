// @ts-check
/** Tokenizer files of older checkpoints, and the files next to a tokenizer.json. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelTypeOf, readTokenizerFiles, tokenizerOf } from '@attune/text'
import { changedInput } from '../mutate.mjs'
import { pick } from '../random.mjs'
import { sentencePieceOf } from '../sentence-piece-file.mjs'
import { TEXTS, goldenJson, tokenizerSeeds } from '../seeds.mjs'

/** @import { TokenizerKind } from '@attune/text' */
/** @import { Input } from '../input.mjs' */
/** @import { Target } from '../target.mjs' */

/** Number of lines kept of a vocabulary. */
const KEPT = 300

/** An input part from the content of a golden file. @param {string} name @param {any} content @returns {string | Buffer} */
function partOf(name, content) {
  if (typeof content?.base64 === 'string') return Buffer.from(content.base64, 'base64')
  if (typeof content !== 'string') return JSON.stringify(content)
  return name === 'vocab.txt' ? content.split('\n').slice(0, KEPT).join('\n') : content
}

/** Older tokenizers by their main file. @returns {Map<string, Input[]>} */
function olderSeeds() {
  const seeds = new Map()
  for (const { name, files } of goldenJson('text/golden/older-tokenizers.json.gz').cases) {
    if (name === 't5') continue // a quarter of a megabyte of rules, and the same type as ALBERT's
    const kind = Object.keys(files).find((file) => /spm$|model$|vocab\.(txt|json)$/.test(file)) ?? name
    const input = Object.fromEntries(Object.entries(files).map(([file, content]) => [file, partOf(file, content)]))
    seeds.set(kind, [...(seeds.get(kind) ?? []), { ...input, text: TEXTS[1] }])
  }
  return seeds
}

/** Loads the tokenizer of a folder and tokenizes a text. @param {Input} input @param {string} folder */
function read({ text }, folder) {
  const type = modelTypeOf(readTokenizerFiles(folder).json)
  const tokenizer = tokenizerOf({ path: folder }, /** @type {TokenizerKind} */ ({ name: 'fuzzed', type }))
  const { ids } = tokenizer.encode(String(text ?? ''))
  tokenizer.decode(ids.slice(0, 1000))
}

const VOCABULARY = JSON.stringify([
  ['<unk>', 0, 2],
  ['<s>', 0, 3],
  ['</s>', 0, 3],
  ...['▁', 'a', 'b', '▁a', 'ab', 'hello', '▁hello', 'wor', 'ld', '<mask>'].map((text, i) => [text, -i, 1]),
])

/** A SentencePiece model written from JSON: unigram (ALBERT) or BPE (Llama). @returns {Target} */
function written() {
  const models = [
    { 'config.json': '{"model_type":"albert"}', settings: '{"3":1,"40":0,"41":1,"42":2}' },
    { 'config.json': '{"model_type":"llama"}', settings: '{"3":2,"35":0,"40":0,"41":1,"42":2}' },
  ]
  const extra = ['[CLS]', '[SEP]', '<pad>', '[MASK]'].map((text) => [text, 0, 3])
  const vocabulary = JSON.stringify([...JSON.parse(VOCABULARY), ...extra])
  return {
    name: 'older tokenizer, a SentencePiece model written from JSON',
    files: true,
    valid: models.map((model) => ({ ...model, vocabulary, text: TEXTS[0] })),
    prepare({ vocabulary: given, settings }, folder) {
      writeFileSync(join(folder, 'spiece.model'), sentencePieceOf(String(given), String(settings)))
    },
    read,
  }
}

/** @returns {Target} */
function extraFiles() {
  const [tokenizer = ''] = tokenizerSeeds().get('WordPiece') ?? []
  const template = '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}'
  const sides = {
    'tokenizer_config.json': JSON.stringify({
      tokenizer_class: 'BertTokenizer',
      pad_token: { content: '[PAD]', special: true },
      unk_token: '[UNK]',
      padding_side: 'left',
      added_tokens_decoder: { 0: { content: '[PAD]', special: true } },
      chat_template: [{ name: 'default', template }],
    }),
    'special_tokens_map.json': JSON.stringify({ pad_token: '[PAD]', cls_token: { content: '[CLS]' } }),
    'target_tokenizer.json': tokenizer,
    'chat_template.jinja': template,
    'chat_template.json': JSON.stringify({ chat_template: template }),
    'additional_chat_templates/tools.jinja': template,
  }
  return {
    name: 'files beside a tokenizer.json',
    files: true,
    valid: [{ 'tokenizer.json': tokenizer, ...sides, text: 'hello' }],
    make: (random) => ({ 'tokenizer.json': tokenizer, text: pick(TEXTS, random), ...changedInput(sides, random) }),
    read,
  }
}

/** @returns {Target[]} */
export const targets = () => [
  ...[...olderSeeds()].map(([kind, valid]) => ({ name: `older tokenizer, ${kind}`, files: true, valid, read })),
  written(),
  extraFiles(),
]
