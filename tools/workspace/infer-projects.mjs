// @ts-check
/**
 * Infers the Nx targets and the layer of every package from its folder, so that packages need no project file. Targets of the whole
 * repository belong to the root project `attune`.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Layers of `packages/`; plugins are on layer 3 and examples on layer 4. Imports only point to the same or a lower layer. */
export const FLOORS = {
  core: 0,
  nn: 1,
  data: 1,
  files: 1,
  resolve: 1,
  text: 1,
  terminal: 1,
  weights: 1,
  trainer: 2,
  jit: 1,
  generate: 2,
  onnx: 2,
  embeddings: 1,
  hub: 2,
  study: 2,
  testkit: 2,
  cli: 4,
  starter: 4,
  server: 4,
  dashboard: 4,
}

/** @param {string} group @param {string} name */
function floorOf(group, name) {
  if (group === 'plugins') return 3
  if (group === 'examples') return 4
  const floor = FLOORS[/** @type {keyof typeof FLOORS} */ (name)]
  if (floor === undefined)
    throw new Error(`${group}/${name} has no layer: add it to FLOORS in tools/workspace/infer-projects.mjs.`)
  return floor
}

/** @param {string} root the package's folder, relative to the workspace */
function tagsOf(root) {
  const [group = '', name = ''] = root.split('/')
  const tags = [`package:${name}`, `group:${group}`]
  return group === 'tools' ? tags : [`floor:${floorOf(group, name)}`, ...tags]
}

const source = ['{projectRoot}/src/**/*', '{projectRoot}/package.json', '{projectRoot}/tsconfig.json', 'toolchain']

/** @param {string} root @param {string} command @param {object} rest */
const target = (root, command, rest) => ({
  executor: 'nx:run-commands',
  options: { command, cwd: root },
  cache: true,
  ...rest,
})

/** A target that Nx runs for many packages in one process: tools/run/batch.mjs. @param {'eslint' | 'jest' | 'tsc'} executor @param {object} rest */
const together = (executor, rest) => ({ executor: `@attune/workspace:${executor}`, cache: true, ...rest })

const build = () =>
  together('tsc', {
    dependsOn: ['^build'],
    inputs: [...source, '^built', '{workspaceRoot}/tools/run/tsc.mjs'],
    outputs: ['{projectRoot}/dist'],
  })

const linter = ['{workspaceRoot}/eslint.config.mjs', '{workspaceRoot}/tools/run/eslint.mjs']

const lint = () =>
  together('eslint', { inputs: ['{projectRoot}/**/*', '!{projectRoot}/verified.json', 'toolchain', ...linter] })

/** Build inputs of every package: inputs of targets that find plugins by name at run time. */
const everyBuilt = [
  ...['packages', 'plugins'].flatMap((group) =>
    ['src/**/*', 'package.json'].map((files) => `{workspaceRoot}/${group}/*/${files}`),
  ),
  '!{workspaceRoot}/{packages,plugins}/*/src/**/*.test.ts',
]

/** Inputs of the test runner. */
const runner = ['jest.config.mjs', 'tools/run/jest*.mjs', 'tools/run/node-test.mjs', 'tools/run/verified.mjs'].map(
  (files) => `{workspaceRoot}/${files}`,
)

/** Further input files, outside its own folder, of a test that spans several packages. */
const READS = {
  'examples/active-learning': ['examples/debian-sections/**/*', 'examples/models/**/*'],
  'examples/adversarial': ['examples/debian-sections/**/*'],
  'examples/browser': ['tools/browser/*', 'examples/debian-sections/validation.jsonl.gz'],
  'examples/custom-trainer': ['examples/debian-sections/**/*'],
  'examples/online-learning': ['examples/debian-sections/**/*'],
  'examples/distillation': ['examples/debian-sections/**/*'],
  'examples/dpo': ['examples/debian-sections/**/*'],
  'tools/fuzz': ['plugins/*/golden/**/*', 'packages/*/golden/**/*', 'tools/parity/golden/**/*'],
  'tools/operations': ['docs/concepts/engines.md'],
  'tools/parity': ['plugins/*/golden/**/*', 'packages/*/golden/**/*', 'docs/measurements/models.md'],
  'tools/real-model': ['examples/debian-sections/**/*', 'docs/measurements/real-model.md'],
  'tools/recipes': ['examples/*/*.{yaml,gz}', 'examples/models/**/*'],
  'tools/scaffold': [
    'packages/cli/templates/**/*',
    'tools/check/**/*',
    'tools/release/*',
    'LICENSE',
    'tools/run/tsc.mjs',
    'eslint.config.mjs',
    '.prettierrc.json',
  ],
  'tools/tfjs-native': ['examples/debian-sections/**/*', 'examples/models/**/*'],
  'tools/transformers-js': ['plugins/*/golden/**/*', 'tools/parity/measure-model.mjs'],
  'tools/workspace': [
    'tools/release/*',
    'tools/check/packages.mjs',
    'eslint.config.mjs',
    'nx.json',
    'package.json',
    '.nx/version-plans/**/*',
  ],
}

/** Tests of engines that are skipped where a library is missing have its presence as an input. */
const enginesHere = [{ runtime: 'node tools/workspace/engines-here.mjs' }]

/** @param {string} root */
const triesEngines = (root) => root.startsWith('plugins/engine-') || root === 'tools/tfjs-native'

/** Tests in a browser, which are skipped without one, have its presence as an input. */
const browserHere = [{ runtime: 'node tools/browser/browser-here.mjs' }, '{workspaceRoot}/tools/browser/chromium.mjs']

/** @param {string} root */
const opensBrowser = (root) => ['packages/cli', 'examples/browser'].includes(root)

const everyBuild = [{ target: 'build', projects: ['*', '!attune'] }]

/** True if the tests of a package find plugins by name. @param {string} root */
const findsByName = (root) => ['packages/cli', 'packages/study'].includes(root)

/**
 * Plugins are tested in one process, since there may be hundreds. Packages and engines have a process each, because they load native code:
 * ONNX Runtime, for example, switches its thread to flushing denormal numbers to zero.
 * @param {string} root @param {object} rest
 */
const jest = (root, rest) =>
  root.startsWith('plugins/') && !root.startsWith('plugins/engine-')
    ? together('jest', rest)
    : target(root, 'node ../../tools/run/jest.mjs', rest)

/** Builds and files that the tests of a package need. @param {string} root */
const tested = (root) => ({
  dependsOn: findsByName(root) ? everyBuild : ['build'],
  inputs: [
    ...source,
    ...(findsByName(root) ? everyBuilt : ['^built']),
    '{projectRoot}/golden/**/*',
    '{projectRoot}/templates/**/*',
    '{projectRoot}/README.md',
    ...runner,
    ...(triesEngines(root) ? enginesHere : []),
  ],
})

/** @param {string} root */
function test(root) {
  const { inputs, ...rest } = tested(root)
  const outputs = ['{projectRoot}/test-results.json']
  return jest(root, { ...rest, inputs: [...inputs, ...(opensBrowser(root) ? browserHere : [])], outputs })
}

/** Tests that take long, `*.slow.test.ts`. @param {string} root */
const slow = (root) =>
  target(root, 'node ../../tools/run/jest.mjs --slow', {
    ...tested(root),
    outputs: ['{projectRoot}/slow-test-results.json'],
  })

/** Tests across packages with Node's test runner, after all packages have been built. @param {string} root */
const nodeTest = (root) =>
  target(root, 'node ../../tools/run/node-test.mjs', {
    dependsOn: everyBuild,
    inputs: [
      '{projectRoot}/**/*',
      '!{projectRoot}/dist/**/*',
      '!{projectRoot}/verified.json',
      'toolchain',
      ...everyBuilt,
      ...runner,
      ...(READS[/** @type {keyof typeof READS} */ (root)] ?? []).map((files) => `{workspaceRoot}/${files}`),
      ...(triesEngines(root) ? enginesHere : []),
      ...(opensBrowser(root) ? browserHere : []),
    ],
    outputs: ['{projectRoot}/test-results.json'],
  })

/** @param {string} folder */
const pathOf = (folder) => join(import.meta.dirname, '../..', folder)

const hasTests = (/** @type {string} */ root) => readdirSync(pathOf(root)).some((name) => name.endsWith('.test.mjs'))

/** @param {string} root */
const hasSlowTests = (root) =>
  existsSync(pathOf(`${root}/src`)) &&
  readdirSync(pathOf(`${root}/src`), { recursive: true }).some((name) => String(name).endsWith('.slow.test.ts'))

/** @param {string} root @returns {Record<string, import('@nx/devkit').TargetConfiguration>} */
function targetsOf(root) {
  if (root === 'examples/third-party-plugin') return { lint: lint(), test: nodeTest(root) }
  const [group] = root.split('/')
  if (group === 'tools') return hasTests(root) ? { test: nodeTest(root) } : {}
  if (group === 'examples') return { build: build(), lint: lint(), test: nodeTest(root) }
  return {
    build: build(),
    test: test(root),
    ...(hasSlowTests(root) ? { slow: slow(root) } : {}),
    lint: lint(),
  }
}

const everything = ['{workspaceRoot}/**/*', '!{workspaceRoot}/*/*/verified.json']
const tools = ['{workspaceRoot}/tools/**/*', '{workspaceRoot}/*.{mjs,json}']

/** Targets of the whole repository. */
const rootTargets = {
  format: target(
    '.',
    // The parser of the plugin takes half the time of Prettier's own.
    'node node_modules/prettier/bin/prettier.cjs --plugin @prettier/plugin-oxc --check --cache --cache-strategy content --log-level warn .',
    { inputs: everything },
  ),
  lint: together('eslint', { options: { files: ['*.mjs', 'tools'] }, inputs: tools }),
  test: target('.', 'node tools/run/node-test.mjs tools/check/*.test.mjs', {
    dependsOn: everyBuild,
    inputs: [...tools, '{workspaceRoot}/examples/debian-sections/*', '{workspaceRoot}/examples/models/*/config.json'],
    outputs: ['{projectRoot}/test-results.json'],
  }),
  check: target('.', 'node tools/check/all.mjs', { dependsOn: everyBuild, inputs: everything }),
  snippets: target('.', 'node tools/check/snippets.mjs', { dependsOn: everyBuild, inputs: everything }),
}

/** @param {string} root @param {string} manifest the text of its package.json @returns {Omit<import('@nx/devkit').ProjectConfiguration, 'root'>} */
const projectOf = (root, manifest) => {
  const { name } = JSON.parse(manifest)
  return root === '.' ? { name, targets: rootTargets } : { name, tags: tagsOf(root), targets: targetsOf(root) }
}

/** @type {import('@nx/devkit').CreateNodesV2} */
export const createNodesV2 = [
  '{package.json,{packages,plugins,tools,examples}/*/package.json}',
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file)
      return [file, { projects: { [root]: projectOf(root, readFileSync(join(workspaceRoot, file), 'utf8')) } }]
    }),
]
