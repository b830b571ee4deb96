// @ts-check
/** Word-vector files: text formats of GloVe and word2vec, compressed and uncompressed, and word2vec's binary format. */
import { join } from 'node:path'
import { readWordVectors } from '@attune/embeddings'

/** @import { Target } from '../target.mjs' */

const TEXT = 'the 0.25 -1.5 3\nof 1e-3 2 0.125\n. . 1 2 3\nnaïve 0 0 1\n'
const NUMBERS = Buffer.from(Float32Array.from([0.5, -1, 2]).buffer)
const BINARY = Buffer.concat([Buffer.from('2 3\na '), NUMBERS, Buffer.from('b '), NUMBERS])

/** @param {string} name @param {string} file @param {readonly (string | Buffer)[]} contents @returns {Target} */
const target = (name, file, contents) => ({
  name,
  files: true,
  valid: contents.map((content) => ({ [file]: content })),
  read: (_, folder) => readWordVectors(join(folder, file)),
})

/** @returns {Target[]} */
export const targets = () => [
  target('word vectors, text', 'vectors.txt', [TEXT, `4 3\n${TEXT}`]),
  target('word vectors, text, compressed', 'vectors.txt.gz', [TEXT, `4 3\n${TEXT}`]),
  target('word vectors, binary', 'vectors.bin', [BINARY]),
]
