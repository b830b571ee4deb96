// @ts-check
/**
 * Runs that together have every adapter, optimizer and regularizer: one for each adapter. Optimizers and regularizers are distributed over
 * them, so that each is in at least one run.
 */

/** A small decoder, for adapters that need a KV cache. */
const DECODER = {
  use: 'gpt2',
  nEmbd: 16,
  nLayer: 2,
  nHead: 2,
  nPositions: 16,
  embdPdrop: 0.2,
  residPdrop: 0.2,
}

/** An optimizer in parts of batches: an optimizer that evaluates the loss again cannot have them. */
const MICRO_BATCHES = { microBatchSize: 4 }

/** Plugins in the order in which they are applied. @typedef {(string | { use: string, [option: string]: unknown })[]} Chain */

/** Names of the plugins of a chain. @param {Chain} [chain] */
export const namesIn = (chain = []) => chain.map((each) => (typeof each === 'string' ? each : each.use))

/**
 * Options of an adapter, and the optimizer, the regularizers, the training options and the model of its run.
 * @typedef {{ options?: object, optimizer: Chain, regularizer?: Chain, training?: object, model?: object }} Technique
 */

/** @type {Readonly<Record<string, Technique>>} */
export const TECHNIQUES = {
  adalora: {
    options: { initialRank: 3, targetRank: 2, every: 2 },
    optimizer: ['lamb'],
    training: MICRO_BATCHES,
  },
  'attention-only': { optimizer: [{ use: 'conjugate-gradient', tries: 2 }], regularizer: ['l1'] },
  'attention-statistics': {
    options: { by: 'low-entropy', fraction: 0.5 },
    optimizer: ['sam', { use: 'sgd', momentum: 0.9 }],
  },
  bitfit: { optimizer: [{ use: 'lbfgs', history: 3, tries: 2 }] },
  bottleneck: {
    options: { size: 4 },
    optimizer: ['lion', { use: 'stochastic-weight-averaging', start: 0.1 }],
    regularizer: ['mixup'],
  },
  dora: {
    options: { rank: 2 },
    optimizer: ['nadam', 'decoupled-weight-decay'],
    regularizer: ['neftune'],
  },
  'feature-importance': {
    optimizer: ['schedule-free-adamw'],
    regularizer: [{ use: 'ewc', data: { use: 'jsonl', path: 'train.jsonl' }, limit: 16 }],
  },
  'frozen-layers': {
    options: { count: 2 },
    optimizer: [
      'adaptive-gradient-clipping',
      'gradient-centralization',
      'gradient-noise',
      { use: 'adamw-8bit', blockSize: 16, minimumSize: 32 },
      'lookahead',
      { use: 'exponential-moving-average', decay: 0.9 },
    ],
    training: { ...MICRO_BATCHES, gradientCheckpointing: true },
  },
  full: { optimizer: [{ use: 'adam', amsgrad: true }], regularizer: ['gradient-penalty'] },
  'gradient-pruning': { optimizer: ['sophia'] },
  'head-only': { optimizer: [{ use: 'newton', iterations: 1, tries: 2 }] },
  ia3: { optimizer: ['radam'], regularizer: ['elastic-net'] },
  lora: {
    options: { rank: 2, dropout: 0.1 },
    optimizer: ['adamw', 'lora-plus'],
    regularizer: ['l2-sp', 'r-drop'],
  },
  'magnitude-pruning': { optimizer: ['lars'], regularizer: ['l2'] },
  'movement-pruning': { options: { fraction: 0.4 }, optimizer: ['adafactor'] },
  'norms-only': {
    optimizer: [{ use: 'alternating', optimizer: 'adam', part: 'classifier*' }],
    regularizer: ['fgm'],
  },
  'p-tuning': { options: { tokens: 2, hiddenSize: 8 }, optimizer: ['adamax'] },
  pissa: { options: { rank: 2 }, optimizer: ['muon'], regularizer: ['spectral-norm'] },
  'prefix-tuning': {
    options: { tokens: 2 },
    optimizer: [{ use: 'rmsprop', centered: true, momentum: 0.5 }],
    regularizer: ['stochastic-depth'],
    model: DECODER,
  },
  'prompt-tuning': { options: { tokens: 2 }, optimizer: ['adagrad'] },
  qlora: { options: { rank: 2 }, optimizer: ['adadelta'], regularizer: ['cutoff'] },
  rslora: { options: { rank: 2 }, optimizer: ['clip-by-value', 'adamw'], regularizer: [{ use: 'pgd', steps: 2 }] },
  'sparse-coding': {
    options: { atoms: 4 },
    optimizer: [{ use: 'sophia', estimator: 'gauss-newton-bartlett' }],
  },
  'token-rows': {
    optimizer: [{ use: 'clip-by-norm', each: 'tensor' }, 'adamw', 'layer-wise-learning-rate-decay'],
    regularizer: [{ use: 'freelb', steps: 2 }],
  },
  'top-layers': {
    options: { count: 1 },
    optimizer: ['adam', 'gradual-unfreezing'],
    regularizer: [{ use: 'group-fairness', by: 'origin', groups: ['a', 'b'] }],
  },
  vera: { options: { rank: 8, dropout: 0.1 }, optimizer: [{ use: 'sgd', nesterov: true, momentum: 0.9 }] },
}
