import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { moduleWeightsIn } from './module-weights.js'

const CONTENT = /^config\.json$|\.safetensors$|\.gguf$/

/** SHA-256 of a model: its weights and `config.json`, or one file. Streams each file once. */
export async function digestOfModel(path: string): Promise<string> {
  const hash = createHash('sha256')
  const isFile = statSync(path).isFile()
  const names = isFile
    ? ['']
    : [...readdirSync(path).filter((name) => CONTENT.test(name)), ...moduleWeightsIn(path)].sort()
  for (const name of names) {
    const file = join(path, name)
    hash.update(`${name}\0`)
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}
