// @ts-check
/**
 * Prints the texts of an index that are most similar to each query.
 *   npx attune predict runs/search "QUERY" | node examples/search/search.mjs runs/search/index.jsonl
 */
import { highest, readRows, similarities } from './rank.mjs'

const COUNT = 3
const [file = ''] = process.argv.slice(2)
const index = readRows(file)
for (const query of readRows('-')) {
  const scores = similarities(query.embedding, index)
  console.log(query.text)
  for (const i of highest(scores, COUNT)) console.log(`  ${scores[i]?.toFixed(3)}  ${index[i].text}`)
}
