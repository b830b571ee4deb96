// @ts-check
/** Prepares the folder of the study's examples: the data sets `train.jsonl` and `unlabelled.jsonl`. */
import { writeFileSync } from 'node:fs'
import { writeTopics } from './topics.mjs'

writeTopics('train.jsonl')
writeFileSync(
  'unlabelled.jsonl',
  ['mail in a shell', 'an editor of code'].map((text) => JSON.stringify({ text })).join('\n'),
)
