// @ts-check
/**
 * Tells Nx what can be done with every package and on which floor it stands, from its folder alone, so that no package
 * carries a project file.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const FLOORS = {
  core: 0,
  nn: 1,
  data: 1,
  text: 1,
  trainer: 2,
  jit: 2,
  hub: 2,
  generate: 2,
  testkit: 2,
  cli: 4,
  server: 4,
  dashboard: 4,
}

/** @param {string} root the package's folder, relative to the workspace */
const tagsOf = (root) => {
  const [group, name] = root.split('/')
  const floor = group === 'plugins' ? 3 : FLOORS[/** @type {keyof typeof FLOORS} */ (name)]
  if (floor === undefined) throw new Error(`${root}: which floor? Name it in tools/workspace/infer-projects.mjs.`)
  return [`floor:${floor}`, `package:${name}`, `group:${group}`]
}

const source = ['{projectRoot}/src/**/*', '{projectRoot}/package.json', '{projectRoot}/tsconfig.json', 'toolchain']

/** @param {string} root @param {string} command @param {object} rest */
const target = (root, command, rest) => ({ executor: 'nx:run-commands', options: { command, cwd: root }, ...rest })

/** @param {string} root */
const targetsOf = (root) => ({
  build: target(root, 'node ../../node_modules/typescript-native/bin/tsc -p .', {
    cache: true,
    dependsOn: ['^build'],
    inputs: [...source, '^built'],
    outputs: ['{projectRoot}/dist'],
  }),
  test: target(root, 'node ../../tools/run/jest.mjs', {
    cache: true,
    dependsOn: ['build'],
    inputs: [
      ...source,
      '^built',
      '{projectRoot}/golden/**/*',
      '{projectRoot}/README.md',
      '{workspaceRoot}/jest.config.mjs',
    ],
    outputs: ['{projectRoot}/test-results.json'],
  }),
  lint: target(root, 'node ../../node_modules/eslint/bin/eslint.js --max-warnings 0 .', {
    cache: true,
    inputs: [...source, '{workspaceRoot}/eslint.config.mjs', '{workspaceRoot}/tools/workspace/**/*'],
  }),
})

/** @type {import('@nx/devkit').CreateNodesV2} */
export const createNodesV2 = [
  '{packages,plugins}/*/package.json',
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file)
      const { name } = JSON.parse(readFileSync(join(workspaceRoot, file), 'utf8'))
      return [file, { projects: { [root]: { name, root, tags: tagsOf(root), targets: targetsOf(root) } } }]
    }),
]
