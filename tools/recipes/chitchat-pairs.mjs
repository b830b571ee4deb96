// @ts-check
/**
 * Writes the preference pairs of examples/chitchat from its conversations: the last answer of a conversation (chosen) against the first
 * answer of the next conversation of the same split (rejected), after at most three messages. No answer is chosen in one pair and rejected
 * in another: a model would memorize it as rejected. `node tools/recipes/chitchat-pairs.mjs`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

/** @typedef {{ role: string, content: string }[]} Messages */

/** Messages before the last answer that a prompt keeps, and pairs of a split. */
const [PROMPT, PAIRS] = [3, 800]

for (const split of ['train', 'validation', 'test']) {
  const file = (/** @type {string} */ name) => join(root, `examples/chitchat/${name}${split}.jsonl.gz`)
  /** @type {Messages[]} */
  const conversations = gunzipSync(readFileSync(file('')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).messages)
  const pairs = conversations.slice(0, PAIRS).flatMap((messages, i) => {
    const chosen = messages.slice(-1)
    const rejected = (conversations[(i + 1) % conversations.length] ?? []).slice(1, 2)
    if (chosen[0]?.content === rejected[0]?.content) return []
    return [{ prompt: messages.slice(-1 - PROMPT, -1), chosen, rejected }]
  })
  writeFileSync(file('pairs-'), gzipSync(pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''), { level: 9 }))
  console.log(`${split}: ${pairs.length} pairs`)
}
