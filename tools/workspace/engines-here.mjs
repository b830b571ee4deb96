// @ts-check
/**
 * Prints the optional engine libraries of this machine that are not installed from the lock file. Nx includes the output in the hash of
 * the engine tests, so that tests skipped for a missing library run once it is available.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const textOf = (/** @type {string} */ path) =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : 'absent'
const { ATTUNE_TFJS_NODE, VK_ICD_FILENAMES, VK_DRIVER_FILES } = process.env
const namesIn = (/** @type {string} */ folder) =>
  existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : []

console.log(
  JSON.stringify({
    tfjsNode: ATTUNE_TFJS_NODE ?? textOf('tools/tfjs-native/dist/built.json'),
    webgpu: textOf('node_modules/webgpu/package.json'),
    vulkan: VK_DRIVER_FILES ?? VK_ICD_FILENAMES ?? namesIn('/usr/share/vulkan/icd.d'),
    cuda: namesIn(join(root, 'node_modules/onnxruntime-node/bin')).some((file) => file.includes('providers_cuda')),
  }),
)
