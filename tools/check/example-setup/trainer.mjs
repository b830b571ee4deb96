// @ts-check
/** Prepares the folder of the trainer's examples: the data set `train.jsonl`, and `runs/topics`, a run on it. */
import { run } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'
import { writeTopics } from './topics.mjs'

writeTopics('train.jsonl')
await lastValueFrom(
  run({
    directory: 'runs/topics',
    data: { train: { use: 'jsonl', path: 'train.jsonl' } },
    tokenizer: { use: 'word', vocabularySize: 100 },
    model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
    objective: { use: 'sequence-classification', maximumLength: 8 },
    engine: 'tfjs-cpu',
    metric: 'accuracy',
    training: { epochs: 40, batchSize: 8, learningRate: 0.05 },
  }),
)
