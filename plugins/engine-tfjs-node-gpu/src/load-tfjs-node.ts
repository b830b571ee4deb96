import { AttuneError } from '@attune/core'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import util from 'node:util'

/** A package that brings TensorFlow: its name, or its folder, and what loads it. */
export interface Candidate {
  readonly name: string
  load(): Promise<unknown>
}

/** The packages in the order in which they are tried; only the one in `folder` where that is given. */
export function candidates(folder: string | undefined): readonly Candidate[] {
  if (folder === undefined || folder === '')
    return [
      { name: '@tensorflow/tfjs-node-gpu', load: () => import('@tensorflow/tfjs-node-gpu') },
      { name: '@tensorflow/tfjs-node', load: () => import('@tensorflow/tfjs-node') },
    ]
  const name = resolve(folder)
  return [{ name, load: async () => createRequire(import.meta.url)(name) as unknown }]
}

const ELSEWHERE = 'or run on another engine: `attune doctor` shows which work here.'

/** Whether an import failed for want of this very package, not of one that it imports in turn. */
function isAbsent(error: Error & { readonly code?: unknown }, name: string): boolean {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND') return false
  return /'([^']*)'/.exec(error.message)?.[1] === name
}

/** Why a package that is there does not load. */
function broken(name: string, error: Error): AttuneError {
  const unbuilt = error.message.includes('tfjs_binding.node) can not be found')
  const [line] = error.message.split('\n')
  return new AttuneError(
    'ENGINE_UNAVAILABLE',
    unbuilt
      ? `engine tfjs-node-gpu: ${name} is installed, but its native addon tfjs_binding.node is not: its install script did not run, or failed`
      : `engine tfjs-node-gpu: ${name} is installed, but does not load: ${line}`,
    `Let its install script run again with \`npm rebuild ${name} --ignore-scripts=false\`, ${ELSEWHERE}`,
    { cause: error },
  )
}

/** Gives back to Node two functions that tfjs-node 4.22 calls: Node 22 warns of their end, Node 23 has them no more. */
export const restoreFunctions = (to: object = util): void =>
  void Object.assign(to, { isArray: Array.isArray, isNullOrUndefined: (value: unknown) => value == null })

/** Runs something while the command line seems empty: what finds tfjs-node's addon takes a program's `--directory` for its own. */
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
 * Loads the first package that is there; its name. One that is there and broken is an error, for whoever installed the GPU's
 * does not want to compute on the processor unawares.
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
    `engine tfjs-node-gpu: ${from.map(({ name }) => name).join(' and ')} cannot be found`,
    `\`npm install @tensorflow/tfjs-node-gpu@4.22.0\` with an NVIDIA GPU, CUDA 11.2 and cuDNN 8.1, \`npm install @tensorflow/tfjs-node@4.22.0\` for the processor, ${ELSEWHERE}`,
  )
}
