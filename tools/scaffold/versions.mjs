// @ts-check
/** Version ranges of dependencies of generated plugins. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const templates = join(root, 'packages/cli/templates')

/** @param {string} path @returns {Record<string, any>} */
const manifestAt = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

/** Ranges of the dependencies of this repository's packages, and of these packages. @returns {Record<string, string>} */
export function versions() {
  const own = readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => manifestAt(`packages/${folder}/package.json`))
  return Object.assign(
    {},
    ...own.map(({ dependencies }) => dependencies),
    Object.fromEntries(own.map(({ name, version }) => [name, `^${version}`])),
  )
}

/** Range of tfjs-core as a peer dependency. @returns {string} */
export const tfjsPeer = () => manifestAt('packages/nn/package.json').peerDependencies['@tensorflow/tfjs-core']

/** Ranges for plugins outside this repository, by name: everything that a template imports, and the tools of its package.json. */
export function outsideVersions() {
  /** @type {Record<string, { dependencies: string[] }>} */
  const words = JSON.parse(readFileSync(join(templates, 'words.json'), 'utf8'))
  const { devDependencies } = manifestAt('package.json')
  const names = ['@attune/core', '@attune/testkit', 'zod', ...Object.values(words).flatMap((each) => each.dependencies)]
  const tools = ['typescript', '@types/node'].map((name) => [name, `^${devDependencies[name]}`])
  const ranges = { ...versions(), ...Object.fromEntries(tools), '@tensorflow/tfjs-core': tfjsPeer() }
  return Object.fromEntries(
    [...new Set([...names, '@types/node', 'typescript'])].sort().map((name) => [name, ranges[name]]),
  )
}
