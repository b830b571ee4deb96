import type { Rule } from './rule.js'

const MEASURED = 'docs/measurements/moving.md'
const DEVLIN = 'Devlin et al., BERT, 2019, section A.3'

/** Rules about optimization, memory and time; of each subject the first that holds is the advice. */
export const TRAINING_RULES: readonly Rule[] = [
  {
    about: 'optimizer',
    when: [],
    advice: 'adamw',
    because:
      'muon scored higher in 50 steps (69.1 ± 3.7 against 60.2 ± 5.4), but the intervals overlap, and a step took twice as long',
    unless: 'time to compare: muon is worth a try for models with many matrices',
    source: MEASURED,
  },
  {
    about: 'epochs',
    when: [['rows', '<', 1000]],
    advice: '10 with early stopping',
    because: '{rows} rows are few steps an epoch',
    unless: '1,000 rows: 3 epochs',
    source: 'Mosbach et al., On the Stability of Fine-tuning BERT, 2021',
    set: { 'training.epochs': 10, earlyStopping: true },
  },
  {
    about: 'epochs',
    when: [['rows', '≥', 100_000]],
    advice: '1',
    because: '{rows} rows are enough steps',
    unless: 'a validation loss that still falls at the end',
    source: 'Komatsuzaki, One Epoch Is All You Need, 2019',
    set: { 'training.epochs': 1 },
  },
  {
    about: 'epochs',
    when: [],
    advice: '3',
    because: '2 to 4 epochs are usual for {rows} rows',
    unless: 'a validation loss that still falls at the end',
    source: DEVLIN,
    set: { 'training.epochs': 3 },
  },
  ...(
    [
      ['head-only', 0.015, MEASURED],
      ['norms-only', 0.015, MEASURED],
      ['lora', 2e-4, 'Hu et al., LoRA, 2021, table 11'],
    ] as const
  ).map(([adapter, rate, source]): Rule => ({
    about: 'learning rate',
    when: [['adapter', '=', adapter]],
    advice: String(rate),
    because: 'few parameters start near zero or one and need larger steps',
    unless: 'a loss that rises: a third of it; npx attune tune searches',
    source,
    set: { 'training.learningRate': rate },
  })),
  {
    about: 'learning rate',
    when: [['pretrained', '=', true]],
    advice: '5e-5',
    because: 'larger steps forget what was pretrained',
    unless: 'small models: up to 5e-4',
    source: DEVLIN,
    set: { 'training.learningRate': 5e-5 },
  },
  {
    about: 'learning rate',
    when: [],
    advice: '1e-3',
    because: 'all weights are new',
    unless: 'a loss that rises: a third of it; npx attune tune searches',
    source: 'Kingma and Ba, Adam, 2015, algorithm 1',
    set: { 'training.learningRate': 1e-3 },
  },
  {
    about: 'schedule',
    when: [],
    advice: 'linear decay with warmup',
    because: 'in 50 steps of adamw it scored 60.2 ± 5.4, a cosine decay 57.4 ± 6.5 and a constant rate 52.7 ± 11.5',
    unless: 'a run whose length is not known at its start: constant',
    source: MEASURED,
    set: { scheduler: { use: 'linear', warmupRatio: 0.1 } },
  },
  {
    about: 'memory',
    when: [
      ['memoryShare', '≥', 1],
      ['pretrained', '=', false],
      ['comparesExamples', '=', true],
    ],
    advice: 'set training.gradientCheckpointing',
    because: 'the run was measured at {memoryShare} of the memory, and {task} compares the examples of a whole batch',
    unless: 'shorter texts, or a smaller model',
    source: 'npx attune plan',
    set: { 'training.gradientCheckpointing': true },
  },
  {
    about: 'memory',
    when: [
      ['memoryShare', '≥', 1],
      ['pretrained', '=', false],
    ],
    advice: 'set training.microBatchSize to a quarter of the batch size',
    because: 'the run was measured at {memoryShare} of the memory',
    unless: 'shorter texts or a smaller model',
    source: 'npx attune plan',
    set: { 'training.microBatchSize': 8 },
  },
  {
    about: 'memory',
    when: [['memoryShare', '≥', 0]],
    advice: 'fits',
    because: 'the run was measured at {memoryShare} of the memory',
    unless: 'longer texts or larger batches',
    source: 'npx attune plan',
  },
  {
    about: 'time',
    when: [['timeShare', '≥', 1]],
    advice: 'train fewer epochs, or a part of the model',
    because: 'the run was measured at {minutes} minutes, more than the budget',
    unless: 'a budget of {minutes} minutes',
    source: 'npx attune plan',
    set: { 'training.epochs': 1 },
  },
  {
    about: 'time',
    when: [['minutes', '≥', 0]],
    advice: 'about {minutes} minutes',
    because: 'steps of each batch shape were measured',
    unless: 'another machine',
    source: 'npx attune plan',
  },
]
