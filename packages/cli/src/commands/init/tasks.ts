import type { Example } from '@attune/core'

/** One part of a configuration: a plugin and the options that differ from its defaults. */
export interface PluginChoice {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
}

/** A task that `attune init` writes a configuration for; it has the name of its objective. */
export interface Task {
  readonly title: string
  /** The objective's options that name fields, each with the field's usual names, the objective's default first. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** A small model that trains from scratch on two CPU cores. */
  readonly model: PluginChoice
  /** A tokenizer, and the fields that its vocabulary is trained on, as options of the objective. */
  readonly tokenizer: PluginChoice & { readonly trainedOn: readonly string[] }
  readonly metrics: readonly string[]
  /** The validation score that chooses the best checkpoint. */
  readonly best: string
  /** Options of the objective other than its fields. */
  readonly objective?: Readonly<Record<string, unknown>>
  /** True if a label per row keeps the classes in proportion when validation data are split off. */
  readonly stratified?: boolean
}

const SHAPE = { hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 512 }
const BERT = { name: 'bert', options: { ...SHAPE, maxPositionEmbeddings: 128, initializerRange: 0.05 } }
const GPT2 = { name: 'gpt2', options: { nEmbd: 128, nLayer: 2, nHead: 2, nPositions: 128 } }
const XLNET = { name: 'xlnet', options: { dModel: 128, nLayer: 2, nHead: 2, dInner: 512, maximumLength: 128 } }
const BART_SHAPE = {
  dModel: 128,
  encoderLayers: 2,
  encoderAttentionHeads: 2,
  encoderFfnDim: 512,
  decoderLayers: 2,
  decoderAttentionHeads: 2,
  decoderFfnDim: 512,
  maxPositionEmbeddings: 128,
}
const BART = { name: 'bart', options: BART_SHAPE }
const WORDPIECE = { name: 'wordpiece', options: {} }
const BPE = { name: 'bpe', options: {} }

/** Classification of texts of several domains; the text and its label are those of the nested objective. */
const DOMAINS = {
  fields: { domain: ['domain'] },
  model: BERT,
  tokenizer: { ...WORDPIECE, trainedOn: [] },
  metrics: ['accuracy'],
  best: 'accuracy',
  objective: { task: { use: 'sequence-classification' } },
}

/** The tasks by name, the first one the default. */
export const TASKS: Readonly<Record<string, Task>> = {
  'sequence-classification': {
    title: 'Text classification: one label per text, or per pair of texts',
    fields: { text: ['text', 'sentence', 'review', 'premise'], label: ['label', 'category', 'class', 'gold_label'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text', 'pair'] },
    metrics: ['accuracy', 'f1'],
    best: 'accuracy',
    stratified: true,
  },
  'multi-label-classification': {
    title: 'Multi-label classification: any number of labels per text, as in tags and topics',
    fields: { text: ['text', 'sentence', 'review'], label: ['labels', 'tags', 'categories', 'topics'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text', 'pair'] },
    metrics: ['multi-label-f1'],
    best: 'micro-f1',
  },
  'span-extraction': {
    title: 'Extractive question answering: the answer is a part of a text, as in SQuAD',
    fields: { question: ['question', 'query'], context: ['context', 'passage'], answers: ['answers', 'answer'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['question', 'context'] },
    metrics: ['exact-match', 'squad-f1'],
    best: 'squad-f1',
  },
  'multiple-choice': {
    title: 'Multiple choice: the right one of several answers or endings, as in SWAG and ARC',
    fields: {
      context: ['context', 'question', 'sent1', 'ctx', 'passage'],
      choices: ['choices', 'options', 'endings'],
      label: ['label', 'answerKey', 'answer'],
    },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['context', 'choices'] },
    metrics: ['accuracy'],
    best: 'accuracy',
  },
  'ordinal-classification': {
    title: 'Ordinal classification: one of several ordered labels per text, as in grades and severities',
    fields: { text: ['text', 'sentence', 'review'], label: ['label', 'grade', 'severity', 'stars', 'rating'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text', 'pair'] },
    metrics: ['accuracy', 'mean-absolute-error'],
    best: 'mean-absolute-error',
    stratified: true,
  },
  regression: {
    title: 'Regression: a number per text, or per pair of texts, as in ratings and similarity scores',
    fields: { text: ['text', 'sentence', 'review'], number: ['number', 'score', 'rating', 'stars', 'label'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text', 'pair'] },
    metrics: ['mean-absolute-error'],
    best: 'mean-absolute-error',
  },
  'token-classification': {
    title: 'Token classification: one tag per word, as in part-of-speech tagging and named-entity recognition',
    fields: { words: ['words', 'tokens'], tags: ['tags', 'ner_tags', 'pos_tags', 'labels'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['words'] },
    metrics: ['token-accuracy'],
    best: 'token-accuracy',
  },
  'causal-language-modeling': {
    title: 'Causal language modeling: next-token prediction, as in GPT',
    fields: { text: ['text', 'content'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  'masked-language-modeling': {
    title: 'Masked language modeling, as in the pretraining of BERT',
    fields: { text: ['text', 'content'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  'permutation-language-modeling': {
    title: 'Permutation language modeling, as in the pretraining of XLNet',
    fields: { text: ['text', 'content'] },
    model: XLNET,
    tokenizer: { name: 'unigram', options: {}, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  'next-sentence-prediction': {
    title: 'Next-sentence prediction, as in the pretraining of BERT',
    fields: { text: ['text', 'document', 'content'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text'] },
    metrics: ['accuracy'],
    best: 'loss',
  },
  'sentence-order-prediction': {
    title: 'Sentence-order prediction, as in the pretraining of ALBERT',
    fields: { text: ['text', 'document', 'content'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text'] },
    metrics: ['accuracy'],
    best: 'loss',
  },
  'sequence-to-sequence': {
    title: 'Sequence-to-sequence: one text generated from another, as in translation and summarization',
    fields: {
      text: ['text', 'source', 'document', 'article', 'prompt', 'instruction', 'question'],
      target: ['target', 'summary', 'highlights', 'completion', 'output', 'response', 'answer'],
    },
    model: BART,
    tokenizer: { ...BPE, trainedOn: ['text', 'target'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  denoising: {
    title: 'Denoising: restore corrupted texts, as in the pretraining of BART and T5',
    fields: { text: ['text', 'content'] },
    model: BART,
    tokenizer: { name: 'unigram', options: {}, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  preferences: {
    title:
      'Preference optimization (DPO): a chosen and a rejected completion of each prompt; start from a trained model with --from',
    fields: { prompt: ['prompt'], chosen: ['chosen'], rejected: ['rejected'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['prompt', 'chosen', 'rejected'] },
    metrics: ['accuracy'],
    best: 'loss',
  },
  'reward-modeling': {
    title: 'Reward modeling: a number for each text, larger for the chosen than for the rejected one',
    fields: { prompt: ['prompt'], chosen: ['chosen'], rejected: ['rejected'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['prompt', 'chosen', 'rejected'] },
    metrics: ['accuracy'],
    best: 'accuracy',
  },
  kto: {
    title: 'KTO: completions labelled true or false; start from a trained model with --from',
    fields: { prompt: ['prompt'], completion: ['completion'], label: ['label', 'desirable'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['prompt', 'completion'] },
    metrics: ['accuracy'],
    best: 'loss',
  },
  contrastive: {
    title: 'Contrastive learning of sentence embeddings: texts that belong together get similar vectors',
    fields: { text: ['text', 'anchor', 'query', 'sentence1'], pair: ['pair', 'positive', 'passage', 'sentence2'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text', 'pair'] },
    metrics: [],
    best: 'loss',
  },
  autoencoder: {
    title: 'Denoising autoencoder (TSDAE): sentence embeddings from texts alone',
    fields: { text: ['text', 'content', 'sentence'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  'deep-clustering': {
    title:
      'Deep clustering (DEC): groups of texts; a label is only compared with them. Start from a trained encoder with --from',
    fields: { text: ['text', 'content', 'sentence'], label: ['label', 'category', 'class'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: ['text'] },
    metrics: ['adjusted-rand', 'normalized-mutual-information'],
    best: 'adjusted-rand',
    objective: { clusters: 2 },
    stratified: true,
  },
  'domain-adversarial': {
    title: 'Domain-adversarial training (DANN): text classification for a domain whose labels are unknown',
    ...DOMAINS,
  },
  'domain-alignment': {
    title: 'Domain alignment (MMD, CORAL): text classification for a domain whose labels are unknown',
    ...DOMAINS,
  },
}

/** The field of each option of an objective, or the list of its fields, by option. */
export type Fields = Readonly<Record<string, string | readonly string[]>>

/** True if every row has a value of the field that `is` accepts. */
export const everyRow = (rows: readonly Example[], field: string, is: (value: unknown) => boolean): boolean =>
  rows.length > 0 && rows.every((row) => is(row[field]))
