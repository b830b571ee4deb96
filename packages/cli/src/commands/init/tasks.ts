import type { Example } from '@attune/core'
import { BART, BERT, BPE, ELECTRA, GPT2, WORDPIECE, XLNET } from './small-models.js'
import type { Task } from './task.js'

const TEXT_AND_LABEL = {
  text: ['text', 'sentence', 'review', 'premise'],
  label: ['label', 'category', 'class', 'gold_label'],
}

const REWARD = `// Reward of a completion: a larger number is better. \`example\` is the row of its prompt, with all its fields.
import { rewardFunction } from '@attune/text'

export default rewardFunction('brief', ({ completion }) => 1 / (1 + completion.length))
`

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
    fields: TEXT_AND_LABEL,
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
  'replaced-token-detection': {
    title: 'Replaced token detection, as in the pretraining of ELECTRA',
    fields: { text: ['text', 'content'] },
    model: ELECTRA,
    tokenizer: { ...WORDPIECE, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
    objective: {
      generator: { use: 'electra', ...ELECTRA.options, hiddenSize: 32, numAttentionHeads: 1, intermediateSize: 128 },
    },
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
  'instruction-tuning': {
    title:
      'Instruction tuning: the answers to prompts; conversations need a model with a chat template, named with --from',
    fields: { prompt: ['prompt'], completion: ['completion'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['prompt', 'completion'] },
    metrics: ['token-accuracy'],
    best: 'loss',
  },
  grpo: {
    title: 'GRPO: sampled completions that a program rewards; start from a trained model with --from',
    fields: { prompt: ['prompt'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['prompt'] },
    metrics: [],
    best: 'loss',
    objective: { rewards: ['./reward.mjs'], groupSize: 4, maximumNewTokens: 16 },
    files: { 'reward.mjs': REWARD },
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
  'adversarial-text-generation': {
    title: 'Adversarial text generation (text GAN): short texts that a discriminator cannot distinguish from real ones',
    fields: { text: ['text', 'content', 'sentence'] },
    model: GPT2,
    tokenizer: { ...BPE, trainedOn: ['text'] },
    metrics: ['token-accuracy'],
    best: 'loss',
    objective: {
      discriminator: { use: 'bert', hiddenSize: 64, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 128 },
      maximumLength: 16,
    },
    optimizer: {
      name: 'alternating',
      options: { part: 'discriminator.*', optimizer: { use: 'adam', beta1: 0.5 } },
    },
  },
  distillation: {
    title: 'Distillation: a small text classifier learns from a trained one, named with --from',
    fields: TEXT_AND_LABEL,
    model: { name: 'bert', options: { ...BERT.options, hiddenSize: 64, intermediateSize: 256 } },
    tokenizer: { ...WORDPIECE, trainedOn: [] },
    metrics: ['accuracy'],
    best: 'accuracy',
    nested: 'sequence-classification',
    hasTeacher: true,
  },
  'multi-task': {
    title: 'Multi-task learning: rows of several tasks on one model, each with the name of its task in a field',
    fields: { by: ['task'] },
    model: BERT,
    tokenizer: { ...WORDPIECE, trainedOn: [] },
    metrics: [],
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
