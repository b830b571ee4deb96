// @ts-check
/**
 * The house rules that a linter can see. What it cannot (budgets over files, READMEs, generated parts, error codes) is in
 * tools/check; types and formatting are the compiler's and Prettier's.
 */
import eslint from '@eslint/js'
import { createProjectGraphAsync } from '@nx/devkit'
import nx from '@nx/eslint-plugin'
import { builtinModules } from 'node:module'
import tseslint from 'typescript-eslint'

// The rule on floors reads the project graph from Nx's cache and, where there is none, passes everything. Nx has just
// written it when it runs this as a task; whoever calls ESLint themselves gets it made here.
if (process.env.NX_TASK_TARGET_TARGET === undefined) await createProjectGraphAsync({ exitOnError: false })

const TESTS = ['**/*.test.ts', '**/*.fixture.ts']
const ALLOWED_IN_CORE = ['rxjs', 'rxjs/*', 'tsyringe', 'reflect-metadata', 'zod', '@tensorflow/tfjs-core']

/** Packages of floor 1 that are useful alone, with the packages that each may import. */
const ALONE = { weights: ['floor:0', 'package:files'], terminal: ['floor:0'] }

/** On which floors what may be imported: only down, and no plugin by a plugin. */
const floors = (/** @type {string[]} */ ...also) => [
  { sourceTag: 'floor:0', onlyDependOnLibsWithTags: ['floor:0', ...also] },
  { sourceTag: 'floor:1', onlyDependOnLibsWithTags: ['floor:0', 'floor:1', ...also] },
  { sourceTag: 'floor:2', onlyDependOnLibsWithTags: ['floor:0', 'floor:1', 'floor:2'] },
  { sourceTag: 'floor:3', onlyDependOnLibsWithTags: ['floor:0', 'floor:1', ...also] },
  { sourceTag: 'floor:4', onlyDependOnLibsWithTags: ['floor:0', 'floor:1', 'floor:2', 'floor:3', 'floor:4'] },
]

/** @param {string[]} alsoFloors @param {string[]} alsoInCore @returns {import('typescript-eslint').ConfigArray[number]['rules']} */
const boundaries = (alsoFloors, alsoInCore) => ({
  '@nx/enforce-module-boundaries': [
    'error',
    {
      depConstraints: [
        ...floors(...alsoFloors),
        ...Object.entries(ALONE).map(([name, onlyDependOnLibsWithTags]) => ({
          sourceTag: `package:${name}`,
          onlyDependOnLibsWithTags,
          bannedExternalImports: ['@tensorflow/*'],
        })),
        { sourceTag: 'package:core', allowedExternalImports: [...ALLOWED_IN_CORE, ...alsoInCore] },
      ],
      enforceBuildableLibDependency: false,
      // A package's own conditional imports, which package.json maps to its files.
      allow: ['^#'],
    },
  ],
})

const NO_MODULE_STATE = [
  {
    selector:
      'Program > VariableDeclaration[kind!="const"], Program > ExportNamedDeclaration > VariableDeclaration[kind!="const"]',
    message: 'A module defines and holds no state: use `const`, and keep what changes in what a function returns.',
  },
  {
    selector: [
      'NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet|Subject|BehaviorSubject|ReplaySubject)$/][arguments.length=0]',
      'ArrayExpression[elements.length=0]',
      'ObjectExpression[properties.length=0]',
    ]
      .flatMap((empty) => [
        `Program > VariableDeclaration > VariableDeclarator > ${empty}`,
        `Program > ExportNamedDeclaration > VariableDeclaration > VariableDeclarator > ${empty}`,
      ])
      .join(', '),
    message: 'An empty collection at module level is there to be filled: keep what changes in what a function returns.',
  },
]

const NO_FOREIGN_INSTANCEOF = {
  selector:
    'BinaryExpression[operator="instanceof"]:not([right.name=/^(Error|SyntaxError|TypeError|RangeError|Date|Map|Set|URL|RegExp|ArrayBuffer|[A-Z][a-z]*[0-9]+(Clamped)?Array)$/]):not([right.object.name="z"])',
  message: 'There may be two copies of a package, and then `instanceof` is false: test a property.',
}

const NO_MEMORY = [
  {
    selector:
      'CallExpression[callee.property.name=/^(tidy|dispose|keep|dataSync|arraySync|data|array|item)$/]:not([callee.object.name="z"])',
    message:
      'The engine owns memory and host/device transfers: compute with tensors, or read host arrays where they are available.',
  },
]

const NO_CLASSES = [
  { selector: 'ClassDeclaration, ClassExpression, ThisExpression', message: 'A plugin is a function of its options.' },
]

const TFJS_MEMORY = [
  'tidy',
  'dispose',
  'disposeVariables',
  'keep',
  'memory',
  'engine',
  'setBackend',
  'ready',
  'variable',
]
const TFJS_RANDOM = ['rand', 'randomNormal', 'randomStandardNormal', 'randomUniform', 'randomUniformInt', 'randomGamma']
const MEMORY_IMPORTS = {
  name: '@tensorflow/tfjs-core',
  importNames: TFJS_MEMORY,
  message: 'The engine owns memory and the device.',
}
const RANDOM_IMPORTS = {
  name: '@tensorflow/tfjs-core',
  importNames: [...TFJS_RANDOM, 'truncatedNormal', 'multinomial', 'dropout'],
  message: 'Its numbers are made on the host, so that a compiled step repeats them: draw from a key.',
}
const WHOLE_TFJS = {
  name: '@tensorflow/tfjs',
  message: 'Only engines load it; import operations from @tensorflow/tfjs-core.',
}

/** @param {{ selector: string, message: string }[]} rules @returns {import('typescript-eslint').ConfigArray[number]['rules']} */
const restrictSyntax = (...rules) => ({ 'no-restricted-syntax': ['error', ...rules] })

/** @param {{ name: string, message: string, importNames?: string[], allowTypeImports?: boolean }[]} paths @returns {import('typescript-eslint').ConfigArray[number]['rules']} */
const restrictImports = (...paths) => ({ '@typescript-eslint/no-restricted-imports': ['error', { paths }] })

/** As {@link restrictImports}, without modules of Node.js. @param {Parameters<typeof restrictImports>} paths @returns {import('typescript-eslint').ConfigArray[number]['rules']} */
const restrictToWeb = (...paths) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { paths, patterns: [NODE_IMPORTS] }],
  'no-restricted-globals': ['error', ...NODE_GLOBALS],
})

/** Sources behind the main entries, which browsers load too. */
const NODE_FREE = [
  'packages/core/src/**/*.ts',
  'packages/nn/src/**/*.ts',
  'packages/data/src/*.ts',
  'packages/trainer/src/index.ts',
  'packages/trainer/src/step/*.ts',
  'packages/trainer/src/inference/{infer,predictor}.ts',
  'packages/trainer/src/run/{bus,score}.ts',
  'packages/trainer/src/files/model-files.ts',
]
const NODE_IMPORTS = {
  regex: `^(node:|(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$)`,
  message: 'Browsers load this file: move what needs Node.js behind an entry of its own (`./node`, `./files`).',
}
const NODE_GLOBALS = ['Buffer', 'process', 'require', '__dirname'].map((name) => ({
  name,
  message: 'Browsers load this file and have none of Node.js: use what both have (Uint8Array, atob, TextEncoder).',
}))

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '**/golden/', '.nx/', 'runs/', '**/*.d.ts', 'tools/scaffold/files/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mjs'],
    extends: [tseslint.configs.strict],
    plugins: { '@nx': nx },
    rules: {
      'no-undef': 'off',
      'prefer-const': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 300, skipBlankLines: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['{packages,plugins,examples}/**/*.ts'],
    rules: {
      'no-console': 'error',
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      ...boundaries([], []),
      ...restrictSyntax(...NO_MODULE_STATE, NO_FOREIGN_INSTANCEOF),
      ...restrictImports(RANDOM_IMPORTS, WHOLE_TFJS),
    },
  },
  { files: NODE_FREE, rules: restrictToWeb(RANDOM_IMPORTS, WHOLE_TFJS) },
  {
    files: ['packages/core/src/**/*.ts'],
    rules: restrictToWeb({
      name: '@tensorflow/tfjs-core',
      allowTypeImports: true,
      message: 'Core knows TF.js by its types only.',
    }),
  },
  {
    files: ['plugins/**/*.ts'],
    rules: {
      ...restrictSyntax(...NO_MODULE_STATE, NO_FOREIGN_INSTANCEOF, ...NO_MEMORY, ...NO_CLASSES),
      ...restrictImports(RANDOM_IMPORTS, MEMORY_IMPORTS, WHOLE_TFJS),
    },
  },
  { files: ['plugins/model-*/**/*.ts'], rules: { 'max-lines': ['error', 400] } },
  {
    files: ['plugins/engine-*/**/*.ts', 'packages/testkit/**/*.ts'],
    rules: {
      ...restrictSyntax(...NO_MODULE_STATE, NO_FOREIGN_INSTANCEOF),
      '@typescript-eslint/no-restricted-imports': 'off',
    },
  },
  {
    files: ['packages/cli/**/*.ts', 'plugins/tracker-console/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  // A program, unlike a module, may print and may hold what it works on.
  {
    files: [
      'examples/{active-learning,adversarial,custom-trainer,distilbert,distillation,dpo,grpo,online-learning}/**/*.ts',
    ],
    rules: { 'no-console': 'off', ...restrictSyntax(NO_FOREIGN_INSTANCEOF) },
  },
  { files: ['packages/testkit/src/describe-*.ts'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['**/*.test.mjs'], rules: { 'max-lines': 'off' } },
  {
    files: TESTS,
    rules: {
      ...boundaries(['package:testkit'], ['@jest/globals']),
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-restricted-imports': 'off',
      'no-restricted-globals': 'off',
    },
  },
)
