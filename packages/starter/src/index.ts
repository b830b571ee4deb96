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
  '@attune/metric-f1',
  '@attune/metric-token-accuracy',
  '@attune/model-bert',
  '@attune/model-distilbert',
  '@attune/model-gpt2',
  '@attune/model-llama',
  '@attune/model-roberta',
  '@attune/objective-causal-language-modeling',
  '@attune/objective-sequence-classification',
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
