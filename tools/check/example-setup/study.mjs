// @ts-check
/** Prepares the folder of the study's examples: the data set `train.jsonl`. */
import { writeTopics } from './topics.mjs'

writeTopics('train.jsonl')
