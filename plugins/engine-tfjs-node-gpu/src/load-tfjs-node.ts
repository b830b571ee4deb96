import { AttuneError } from '@attune/core'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import util from 'node:util'

/** A package that brings TensorFlow: its name or folder, and a function that loads it. */
export interface Candidate {
  readonly name: string
  load(): Promise<unknown>
}

/** The packages to try, in order; only the one in `folder` if that is set. */
export function candidates(folder: string | undefined): readonly Candidate[] {
  if (folder === undefined || folder === '')
    return [
      { name: '@tensorflow/tfjs-node-gpu', load: () => import('@tensorflow/tfjs-node-gpu') },
      { name: '@tensorflow/tfjs-node', load: () => import('@tensorflow/tfjs-node') },
    ]
  const name = resolve(folder)
  return [{ name, load: async () => createRequire(import.meta.url)(name) as unknown }]
}

const ELSEWHERE = 'or use another engine: `npx attune doctor` shows which work here.'

/** True if an import failed because this very package is missing, not one that it imports. */
function isAbsent(error: Error & { readonly code?: unknown }, name: string): boolean {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND') return false
  return /'([^']*)'/.exec(error.message)?.[1] === name
}

/** The error for a package that is installed but does not load. */
function broken(name: string, error: Error): AttuneError {
  const unbuilt = error.message.includes('tfjs_binding.node) can not be found')
  const [line] = error.message.split('\n')
  return new AttuneError(
    'ENGINE_UNAVAILABLE',
    unbuilt
      ? `engine tfjs-node-gpu: ${name} is installed, but its native addon tfjs_binding.node is not: its install script did not run, or failed`
      : `engine tfjs-node-gpu: ${name} is installed, but does not load: ${line}`,
    `Repeat its install script with \`npm rebuild ${name} --ignore-scripts=false\`, ${ELSEWHERE}`,
    { cause: error },
  )
}

/** Restores two functions that tfjs-node 4.22 calls: Node 22 deprecates them, Node 23 removed them. */
export const restoreFunctions = (to: object = util): void =>
  void Object.assign(to, { isArray: Array.isArray, isNullOrUndefined: (value: unknown) => value == null })

/** Runs a function with an empty command line: the loader of tfjs-node's addon would read the program's `--directory` option. */
async function withoutArguments<T>(run: () => Promise<T>): Promise<T> {
  const { argv } = process
  process.argv = argv.slice(0, 1)
  try {
    return await run()
  } finally {
    process.argv = argv
  }
}

/**
 * Loads the first package that is installed, and returns its name. A package that is installed but broken is an error: a user who
 * installed the GPU package must not fall back to the CPU unnoticed.
 */
export async function loadTfjsNode(from: readonly Candidate[]): Promise<string> {
  restoreFunctions()
  for (const { name, load } of from) {
    try {
      await withoutArguments(load)
      return name
    } catch (error) {
      if (!isAbsent(error as Error, name)) throw broken(name, error as Error)
    }
  }
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    `engine tfjs-node-gpu: cannot find ${from.map(({ name }) => name).join(' or ')}`,
    `Run \`npm install @tensorflow/tfjs-node-gpu@4.22.0\` with an NVIDIA GPU, CUDA 11.2 and cuDNN 8.1, run \`npm install @tensorflow/tfjs-node@4.22.0\` for the CPU, ${ELSEWHERE}`,
  )
}
