import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { moduleWeightsIn } from './module-weights.js'
import { ADAPTER_FOLDER, adapterOf } from './saved-adapter.js'

const CONTENT = /^(adapter_)?config\.json$|\.safetensors$|\.gguf$/

/** SHA-256 of a model: its weights, `config.json` and any adapter beside them, or one file. Streams each file once. */
export async function digestOfModel(path: string): Promise<string> {
  const hash = createHash('sha256')
  const isFile = statSync(path).isFile()
  const own = (folder: string): string[] => readdirSync(folder).filter((name) => CONTENT.test(name))
  const beside = isFile ? undefined : adapterOf(path)
  const names = isFile
    ? ['']
    : [
        ...own(path),
        ...moduleWeightsIn(path),
        ...(beside === undefined ? [] : own(beside).map((name) => `${ADAPTER_FOLDER}/${name}`)),
      ].sort()
  for (const name of names) {
    const file = join(path, name)
    hash.update(`${name}\0`)
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}
