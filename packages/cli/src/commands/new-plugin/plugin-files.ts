import { readFileSync, readdirSync } from 'node:fs'

/** Texts about the plugin of a kind, and the packages that its code imports. */
interface Words {
  readonly summary: string
  readonly what: string
  readonly when: string
  readonly state: string
  readonly source: string
  readonly dependencies: readonly string[]
}

/** Files of a package by path, relative to its folder. */
export type PackageFiles = Readonly<Record<string, string>>

const templates = new URL('../../../templates/', import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, templates), 'utf8')
const jsonOf = <T>(path: string): T => JSON.parse(textOf(path)) as T

/** Kinds of plugin that have a template. */
export const templateKinds = (): readonly string[] => readdirSync(new URL('kinds/', templates)).sort()

/** The package name of a plugin: its prefix is what makes an installed plugin available by name. */
export const packageNameOf = (kind: string, name: string): string => `attune-plugin-${kind}-${name}`

/** The name of a plugin as a variable: `myMetric` for `my-metric`. */
export const variableOf = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/** True if the code of a kind's template imports something under this name. */
export const isImported = (kind: string, variable: string): boolean =>
  new RegExp(`^import [^']*\\b${variable}\\b`, 'm').test(textOf(`kinds/${kind}/src/__name__.ts.template`))

/** Replaces `<%- name %>` by values. */
const render = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/<%- (\w+) %>/g, (placeholder, name: string) => values[name] ?? placeholder)

const pick = (names: readonly string[]): Record<string, string> => {
  const versions = jsonOf<Record<string, string>>('versions.json')
  return Object.fromEntries([...names].sort().map((name) => [name, versions[name] ?? '*']))
}

function manifestOf(kind: string, name: string, { summary, dependencies }: Words): object {
  const tensors = dependencies.some((each) => each === '@attune/nn' || each === '@tensorflow/tfjs-core')
  return {
    name: packageNameOf(kind, name),
    version: '0.1.0',
    description: summary,
    license: 'Apache-2.0',
    type: 'module',
    ...(kind === 'engine' ? {} : { sideEffects: false }),
    attune: { kind, name },
    exports: { '.': { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` } },
    files: ['dist', '!dist/**/*.test.*'],
    engines: { node: '>=20.19' },
    scripts: { build: 'tsc', test: `tsc && node --test dist/${name}.test.js`, prepack: 'tsc' },
    dependencies: pick([...dependencies.filter((each) => each !== '@tensorflow/tfjs-core'), 'zod']),
    peerDependencies: pick(['@attune/core', ...(tensors ? ['@tensorflow/tfjs-core'] : [])]),
    devDependencies: pick(['@attune/testkit', '@types/node', 'typescript']),
  }
}

function readmeOf(kind: string, name: string, values: Readonly<Record<string, string>>): string {
  const use = render(textOf(`kinds/${kind}/use.ts.template`), values).trim()
  const options = `\`npx attune plugins info ${kind} ${name}\` lists the options with their ranges and defaults.`
  const text = render(textOf('package/README.md.template'), values)
    .replace('SNIPPET', () => use)
    .replace(/<!-- options -->\s*<!-- \/options -->/, () => options)
  return `${text.trimEnd()}

## Development

\`\`\`sh
npm install
npm test
\`\`\`

\`npm test\` compiles the package and runs the contract suite of the kind ${kind}, from \`@attune/testkit\`, and the tests beside it.
`
}

/** The files of a new package with a working plugin of a kind, its test and a README. */
export function pluginFiles(kind: string, name: string): PackageFiles {
  const words = jsonOf<Readonly<Record<string, Words>>>('words.json')[kind]!
  const { dependencies: _, ...texts } = words
  const camel = variableOf(name)
  const pascal = camel.charAt(0).toUpperCase() + camel.slice(1)
  const values = { ...texts, kind, name, camel, pascal, package: packageNameOf(kind, name) }
  const source = (file: string): string => render(textOf(`kinds/${kind}/src/${file}.template`), values)
  return {
    'package.json': `${JSON.stringify(manifestOf(kind, name, words), null, 2)}\n`,
    'tsconfig.json': textOf('outside/tsconfig.json.template'),
    '.gitignore': textOf('outside/gitignore.template'),
    'README.md': readmeOf(kind, name, values),
    [`src/${name}.ts`]: source('__name__.ts'),
    [`src/${name}.test.ts`]: source('__name__.test.ts'),
  }
}
