import { describe, expect, it } from '@jest/globals'
import { describeEngine } from '@attune/testkit'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { tfjsNodeGpu } from './tfjs-node-gpu.js'

/** The folder in which tools/tfjs-native builds the package. */
const BUILT = join(import.meta.dirname, '../../../tools/tfjs-native/dist/node_modules/@tensorflow/tfjs-node')

const built = existsSync(join(BUILT, 'lib')) ? BUILT : undefined
const folder = process.env['ATTUNE_TFJS_NODE'] ?? built

if (folder === undefined)
  describe('engine tfjs-node-gpu', () => {
    it('throws ENGINE_UNAVAILABLE without the package, which `node tools/tfjs-native/build.mjs` builds', async () => {
      await expect(tfjsNodeGpu().start()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    })
  })
else {
  process.env['ATTUNE_TFJS_NODE'] = folder
  describeEngine(tfjsNodeGpu)
}
