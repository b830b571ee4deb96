// @ts-check
import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Specs of files, networks, platforms and TensorFlow.js' own tools, which no engine computes. */
const OTHER =
  /^\.\/(io|platforms|backends)\/|browser|device_util|debug_mode|environment|flags|hash_util|jasmine_util|profiler|serialization|test_util|version|^\.\/util_test/

const core = join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json')), 'dist')

/** Spec files of operations, gradients, tensors and optimizers, as TensorFlow.js lists them. */
const specFiles = () =>
  [...readFileSync(join(core, 'tests.js'), 'utf8').matchAll(/^import '(.+_test)'/gm)]
    .map(([, path]) => /** @type {string} */ (path))
    .filter((path) => !OTHER.test(path))

/**
 * Bundles TensorFlow.js' specs, whose imports Node.js does not resolve, into a CommonJS module. It exports `setTestEnvs` and
 * `declareSpecs`, to be called in this order.
 * @param {string} outfile
 */
export async function bundleSpecs(outfile) {
  const contents = ['public/chained_ops/register_all_chained_ops', 'register_all_gradients', ...specFiles()]
    .map((path) => `import './${path}'\n`)
    .join('')
  await build({
    stdin: {
      contents: "export { setTestEnvs } from './jasmine_util'\nexport const declareSpecs = () => import('all-specs')",
      resolveDir: core,
    },
    plugins: [
      {
        name: 'all specs',
        setup(on) {
          on.onResolve({ filter: /^all-specs$/ }, ({ path }) => ({ path, namespace: 'specs' }))
          on.onLoad({ filter: /.*/, namespace: 'specs' }, () => ({ contents, resolveDir: core }))
        },
      },
    ],
    ignoreAnnotations: true, // the package lists the specs as free of side effects
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['node-fetch'],
    outfile,
    logLevel: 'error',
  })
}
