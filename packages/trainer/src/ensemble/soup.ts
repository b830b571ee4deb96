import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type HostArray } from '@attune/core'
import { shardWeights } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
import { adapterOf } from '../files/saved-adapter.js'
import { copyRun } from './members.js'

const notAlike = (folder: string, why: string): AttuneError =>
  new AttuneError(
    'BAD_ARGUMENT',
    `expected runs of one architecture, but ${folder} ${why}`,
    'Average runs that started from the same model; combine others with --method average.',
  )

const isFloat = ({ dtype }: HostArray): boolean => dtype === 'float32'

/** Mean of a tensor over several models; integers must be equal. */
function meanOf(
  name: string,
  models: readonly ReturnType<typeof openWeights>[],
  folders: readonly string[],
): HostArray {
  const first = models[0]!.read(name)
  const sum = Float64Array.from(first.values as Float32Array)
  for (const [m, model] of models.entries()) {
    if (m === 0) continue
    if (!model.tensors.has(name)) throw notAlike(folders[m]!, `has no tensor ${name}`)
    const { shape, values } = model.read(name)
    if (String(shape) !== String(first.shape))
      throw notAlike(folders[m]!, `has ${name} of shape ${shape.join(' × ')} instead of ${first.shape.join(' × ')}`)
    for (let i = 0; i < sum.length; i++) sum[i]! += values[i] as number
  }
  return isFloat(first) ? { ...first, values: Float32Array.from(sum, (value) => value / models.length) } : first
}

/** @throws AttuneError `BAD_ARGUMENT` for a run with a saved adapter, whose low-rank factors have no meaningful mean */
function requireMerged(folder: string): void {
  if (adapterOf(join(folder, 'model')) === undefined) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `${folder} has a saved adapter: expected a model without one`,
    'Merge it first: npx attune adapter merge.',
  )
}

/**
 * Writes a run folder whose weights are the mean of those of several runs (model soup); the other files are those of the first.
 * Source: Wortsman et al., Model Soups, 2022, section 2.
 * @param to a new folder
 * @throws AttuneError `BAD_ARGUMENT` for models of different architectures, or with adapters
 */
export function writeSoup(folders: readonly string[], to: string): void {
  for (const folder of folders) requireMerged(folder)
  const models = folders.map((folder) => openWeights(join(folder, 'model')))
  try {
    for (const [m, model] of models.entries())
      if (model.tensors.size !== models[0]!.tensors.size) throw notAlike(folders[m]!, 'has other tensors')
    const names = [...models[0]!.tensors.keys()]
    const stored = names.map((name) => models[0]!.tensors.get(name)!.dtype)
    const weights = Object.fromEntries(names.map((name) => [name, meanOf(name, models, folders)]))
    copyRun(folders[0]!, to)
    const model = join(to, 'model')
    for (const name of readdirSync(model)) if (/\.safetensors(\.index\.json)?$/.test(name)) rmSync(join(model, name))
    for (const [name, content] of Object.entries(shardWeights(weights, stored.includes('F16') ? 'float16' : 'float32')))
      writeFileSync(join(model, name), typeof content === 'function' ? content() : content)
  } finally {
    for (const model of models) model.close()
  }
}
