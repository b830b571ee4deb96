// The plugins add their names to NamedPlugins, so that the compiler checks the options of each in a configuration.
export type {} from '@attune/adapter-full'
export type {} from '@attune/adapter-lora'
export type {} from '@attune/callback-checkpoint'
export type {} from '@attune/callback-early-stopping'
export type {} from '@attune/engine-onnxruntime'
export type {} from '@attune/engine-tfjs-cpu'
export type {} from '@attune/metric-accuracy'
export type {} from '@attune/metric-entity-f1'
export type {} from '@attune/metric-exact-match'
export type {} from '@attune/metric-f1'
export type {} from '@attune/metric-multi-label-f1'
export type {} from '@attune/metric-mean-absolute-error'
export type {} from '@attune/metric-squad-f1'
export type {} from '@attune/metric-token-accuracy'
export type {} from '@attune/model-bert'
export type {} from '@attune/model-distilbert'
export type {} from '@attune/model-gpt2'
export type {} from '@attune/model-llama'
export type {} from '@attune/model-roberta'
export type {} from '@attune/objective-causal-language-modeling'
export type {} from '@attune/objective-instruction-tuning'
export type {} from '@attune/objective-grpo'
export type {} from '@attune/objective-kto'
export type {} from '@attune/objective-multi-label-classification'
export type {} from '@attune/objective-preferences'
export type {} from '@attune/objective-reward-modeling'
export type {} from '@attune/objective-sequence-classification'
export type {} from '@attune/objective-regression'
export type {} from '@attune/objective-span-extraction'
export type {} from '@attune/objective-token-classification'
export type {} from '@attune/optimizer-adamw'
export type {} from '@attune/protocol-holdout'
export type {} from '@attune/scheduler-constant'
export type {} from '@attune/scheduler-linear'
export type {} from '@attune/source-csv'
export type {} from '@attune/source-jsonl'
export type {} from '@attune/tokenizer-bpe'
export type {} from '@attune/tokenizer-wordpiece'
export type {} from '@attune/tracker-console'
export type {} from '@attune/tracker-jsonl'

/**
 * Names of the packages that this one installs: the attune command, and the plugins of a first text classifier, token tagger or text
 * generator.
 *
 * @example
 * ```ts
 * import { packages } from '@attune/starter'
 *
 * console.log(packages.join('\n'))
 * ```
 */
export const packages: readonly string[] = [
  '@attune/adapter-full',
  '@attune/adapter-lora',
  '@attune/callback-checkpoint',
  '@attune/callback-early-stopping',
  '@attune/cli',
  '@attune/engine-onnxruntime',
  '@attune/engine-tfjs-cpu',
  '@attune/metric-accuracy',
  '@attune/metric-entity-f1',
  '@attune/metric-exact-match',
  '@attune/metric-f1',
  '@attune/metric-multi-label-f1',
  '@attune/metric-mean-absolute-error',
  '@attune/metric-squad-f1',
  '@attune/metric-token-accuracy',
  '@attune/model-bert',
  '@attune/model-distilbert',
  '@attune/model-gpt2',
  '@attune/model-llama',
  '@attune/model-roberta',
  '@attune/objective-causal-language-modeling',
  '@attune/objective-instruction-tuning',
  '@attune/objective-grpo',
  '@attune/objective-kto',
  '@attune/objective-multi-label-classification',
  '@attune/objective-preferences',
  '@attune/objective-reward-modeling',
  '@attune/objective-sequence-classification',
  '@attune/objective-regression',
  '@attune/objective-span-extraction',
  '@attune/objective-token-classification',
  '@attune/optimizer-adamw',
  '@attune/protocol-holdout',
  '@attune/scheduler-constant',
  '@attune/scheduler-linear',
  '@attune/source-csv',
  '@attune/source-jsonl',
  '@attune/tokenizer-bpe',
  '@attune/tokenizer-wordpiece',
  '@attune/tracker-console',
  '@attune/tracker-jsonl',
]
