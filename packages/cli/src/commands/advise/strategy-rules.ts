import type { Rule } from './rule.js'

const MEASURED = 'docs/measurements/moving.md'
const DEVLIN = 'Devlin et al., BERT, 2019, section A.3'
const HU = 'Hu et al., LoRA, 2021, section 4.2'

/** Rules about what trains; of each subject the first that holds is the advice. */
export const STRATEGY_RULES: readonly Rule[] = [
  {
    about: 'strategy',
    when: [
      ['rows', '<', 100],
      ['pretrained', '=', false],
    ],
    advice: 'few-shot: start from a pretrained model (--from)',
    because: '{rows} rows do not train a model from scratch',
    unless: 'some thousand rows, or a text domain without pretrained models',
    source: 'Howard and Ruder, ULMFiT, 2018, section 5 (low-shot learning)',
  },
  {
    about: 'strategy',
    when: [
      ['rows', '<', 1000],
      ['pretrained', '=', true],
      ['vocabularyHead', '=', true],
    ],
    advice: 'LoRA',
    because: 'with {rows} rows low-rank updates forget less of the pretrained language model than full fine-tuning',
    unless: '1,000 rows: full fine-tuning, if memory suffices',
    source: 'Biderman et al., LoRA Learns Less and Forgets Less, 2024',
  },
  {
    about: 'strategy',
    when: [['rows', '<', 100]],
    advice: 'few-shot: train a head on frozen features',
    because: '{rows} rows overfit a whole model; the head alone scored 64.3 ± 3.8, full fine-tuning 60.2 ± 5.4',
    unless: '100 rows',
    source: MEASURED,
  },
  {
    about: 'strategy',
    when: [['weightsShare', '≥', 0.8]],
    advice: 'LoRA',
    because:
      'weights, gradients and two moments take {weightsShare} of the memory; LoRA needs the last three for its updates only',
    unless: 'more memory, or a smaller model',
    source: HU,
  },
  {
    about: 'strategy',
    when: [
      ['memoryShare', '≥', 1],
      ['pretrained', '=', true],
    ],
    advice: 'LoRA',
    because: 'the run was measured at {memoryShare} of the memory',
    unless: 'more memory, or a smaller model',
    source: HU,
  },
  {
    about: 'strategy',
    when: [
      ['otherLabels', '≥', 1],
      ['pretrained', '=', true],
    ],
    advice: 'full, and consider multi-task training',
    because: 'the rows have other labels, which one encoder can learn together',
    unless: 'labels that have nothing to do with one another',
    source: 'Liu et al., Multi-Task Deep Neural Networks, 2019, section 3',
  },
  {
    about: 'strategy',
    when: [
      ['timeField', '≠', ''],
      ['rows', '≥', 5000],
    ],
    advice: 'full, then online learning (learnOnline) as new rows arrive',
    because: '{rows} rows are ordered by {timeField}, and later ones may differ',
    unless: 'a distribution that does not change',
    source: 'Gama et al., A Survey on Concept Drift Adaptation, 2014',
  },
  {
    about: 'strategy',
    when: [
      ['pretrained', '=', true],
      ['rows', '<', 1000],
      ['task', '=', 'sequence-classification'],
    ],
    advice: 'partial: norms and the head',
    because: 'in one epoch of 800 rows it scored 64.7 ± 4.7 in 0.6 of the time of full fine-tuning (60.2 ± 5.4)',
    unless: '1,000 rows: full fine-tuning',
    source: MEASURED,
  },
  {
    about: 'strategy',
    when: [['pretrained', '=', true]],
    advice: 'full',
    because: 'in three epochs of 800 rows it scored 73.5 ± 1.3, LoRA 67.5 ± 2.1, and memory suffices',
    unless: 'less memory than four times the weights: LoRA; fewer rows: partial',
    source: 'docs/measurements/learning.md',
  },
  {
    about: 'strategy',
    when: [],
    advice: 'full, from scratch',
    because: 'no pretrained model is given; {rows} rows',
    unless: 'a pretrained model of the language (--from), which needs fewer rows',
    source: DEVLIN,
  },
  ...[
    ['few-shot: train a head on frozen features', 'head-only'],
    ['partial: norms and the head', 'norms-only'],
    ['LoRA', 'lora'],
  ].map(([strategy = '', adapter = '']): Rule => ({
    about: 'adapter',
    when: [['strategy', '=', strategy]],
    advice: adapter,
    because: 'it is the adapter of the strategy',
    unless: 'another strategy',
    source: 'docs/guides/choosing-what-trains.md',
    set: { adapter: { use: adapter } },
  })),
  {
    about: 'adapter',
    when: [],
    advice: 'full',
    because: 'all parameters train',
    unless: 'another strategy',
    source: 'docs/guides/choosing-what-trains.md',
  },
]
