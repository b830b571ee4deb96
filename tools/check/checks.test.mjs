// @ts-check
/** Tests that each check finds its problems, and none in a valid package. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { budgets, median } from './budgets.mjs'
import { cycles } from './cycles.mjs'
import { errorCodes } from './error-codes.mjs'
import { LICENSE, fieldsOf, keywordsOf, withFields } from '../release/registry-fields.mjs'
import { compareNames } from './exports.mjs'
import { floors } from './floors.mjs'
import { anchorsIn, brokenLinks } from './links.mjs'
import { replacePart } from './replace-part.mjs'
import { manifests } from './manifests.mjs'
import { reached } from './node-free.mjs'
import { optionsTable } from './options-table.mjs'
import { codeLines } from './packages.mjs'
import { fences, readmes } from './readmes.mjs'
import { compile, run } from './snippets.mjs'
import { table } from './table.mjs'

const README = `# @attune/metric-exact

Fraction of identical texts.

## What is this

A metric.

## When to use it, and when not

Always.

## Install

\`\`\`sh
## not a heading
\`\`\`

## Use

\`\`\`ts
console.log('used')
\`\`\`

## Options

<!-- options -->
<!-- /options -->

## State and shapes

None.

## Source

None.

## Related

None.
`

const MANIFEST = withFields('plugins/metric-exact', {
  name: '@attune/metric-exact',
  version: '0.1.0',
  description: 'Fraction of identical texts',
  license: 'Apache-2.0',
  type: 'module',
  sideEffects: false,
  attune: { kind: 'metric', name: 'exact' },
  exports: { '.': { types: './dist/exact.d.ts', default: './dist/exact.js' } },
  files: ['dist', '!dist/**/*.test.*'],
  dependencies: { zod: '^4.6.7' },
  peerDependencies: { '@attune/core': '^0.1.0' },
})

const FILES = {
  'src/exact.ts': "import { METRIC } from '@attune/core'\nimport { z } from 'zod'\nimport { same } from './same.js'\n",
  'src/same.ts': "import { join } from 'node:path'\n",
  'src/exact.test.ts': "import { it } from '@jest/globals'\n",
}

/** A valid plugin with the given changes. @param {Partial<import('./packages.mjs').Package>} change @returns {import('./packages.mjs').Package} */
const plugin = (change = {}) => {
  const manifest = change.manifest ?? MANIFEST
  return {
    folder: 'plugins/metric-exact',
    group: 'plugins',
    short: 'metric-exact',
    directory: '/nowhere',
    manifestText: JSON.stringify(manifest, null, 2),
    readme: README,
    license: LICENSE,
    files: FILES,
    ...change,
    manifest,
  }
}
const lines = (/** @type {number} */ count) => 'x()\n'.repeat(count)
const sized = (/** @type {number} */ count) => plugin({ files: { 'src/exact.ts': lines(count) } })

describe('budgets', () => {
  it('accepts small plugins', () => assert.deepEqual(budgets([plugin()]).problems, []))
  it('does not count comments and blank lines', () =>
    assert.equal(codeLines('/**\n * words\n */\n\n// words\nconst a = 1 // words\n\n'), 1))
  it('computes the median', () => {
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([1, 3]), 2)
  })
  it('rejects a median above 60', () => {
    assert.deepEqual(budgets([sized(10), sized(60), sized(200)]).problems, [])
    assert.match(budgets([sized(10), sized(61), sized(200)]).problems.join(), /in the median plugin, got 61/)
    const model = plugin({ files: { 'src/exact.ts': lines(200) }, short: 'model-x' })
    assert.deepEqual(budgets([sized(10), model, model]).problems, [])
  })
  it('rejects a plugin above 300 lines in total, or a model above 400', () => {
    const files = { 'src/a.ts': lines(200), 'src/b.ts': lines(101), 'src/b.test.ts': lines(900) }
    const small = [sized(1), sized(1)]
    assert.match(budgets([...small, plugin({ files })]).problems.join(), /got 301/)
    assert.deepEqual(budgets([...small, plugin({ files, short: 'model-x' })]).problems, [])
  })
  it('rejects a task with one target per text above 80 lines, or a BERT-like family above 100', () => {
    const built = (/** @type {string} */ name, /** @type {number} */ count, short = 'x') =>
      budgets([sized(1), sized(1), plugin({ short, files: { 'src/a.ts': `${name}()\n${lines(count - 1)}` } })]).problems
    assert.deepEqual([...built('classificationItems', 80), ...built('encoderModel', 100, 'model-x')], [])
    assert.match(built('classificationItems', 81).join(), /at most 80 lines .* got 81/)
    assert.match(built('encoderModel', 101, 'model-x').join(), /at most 100 lines .* got 101/)
  })
  it('rejects a core above 1,500 lines', () => {
    const core = plugin({ folder: 'packages/core', group: 'packages', files: { 'src/a.ts': lines(1501) } })
    assert.match(budgets([core]).problems.join(), /packages\/core, got 1501/)
  })
  it('rejects a long package.json', () => {
    const dependencies = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`package-${i}`, '1.0.0']))
    assert.match(
      budgets([plugin({ manifest: { ...MANIFEST, dependencies } })]).problems.join(),
      /lines in .*package\.json/,
    )
  })
})

describe('manifests', () => {
  /** @param {object} change @param {Readonly<Record<string, string>>} [files] */
  const problems = (change, files = FILES) =>
    manifests([plugin({ manifest: { ...MANIFEST, ...change }, files })]).problems.join('\n')
  it('accepts a valid package.json', () => assert.equal(problems({}), ''))
  /** @type {[object, RegExp][]} */
  const wrong = [
    [{ license: 'MIT' }, /license must be Apache-2.0/],
    [{ sideEffects: undefined }, /sideEffects must be false/],
    [{ exports: undefined }, /exports must be set/],
    [{ files: ['dist'] }, /files must end with/],
    [{ description: '' }, /description must be set/],
    [{ version: undefined }, /version must be set/],
    [{ attune: { kind: 'metric', name: 'other' } }, /kind and name of its folder/],
    [{ dependencies: { zod: '4.6.7' } }, /zod must be a range with a caret, got 4\.6\.7/],
    [{ dependencies: { 'onnxruntime-node': '^1.30.0' } }, /onnxruntime-node must be a range with a tilde, got \^1/],
    [{ dependencies: { zod: '^4.6.7', '@attune/core': '0.1.0' } }, /@attune\/core must be a range with a caret/],
    [{ peerDependencies: { '@attune/core': '0.1.0' } }, /@attune\/core must be a range with a caret/],
    [{ devDependencies: { rxjs: '^7.8.2' } }, /rxjs must be an exact version, got \^7/],
    [{ dependencies: {} }, /lacks zod, which the source imports/],
    [{ devDependencies: { zod: '4.6.7' }, dependencies: {} }, /lacks zod, which the source imports/],
    [{ dependencies: { zod: '^4.6.7', rxjs: '^7.8.2' } }, /lists rxjs, which is neither imported nor named/],
    [{ repository: undefined }, /repository must be .*"directory":"plugins\/metric-exact"/],
    [{ bugs: undefined }, /bugs must be/],
    [{ homepage: 'https://example.org' }, /homepage must be .*plugins\/metric-exact#readme/],
    [{ engines: {} }, /engines must be {"node":">=/],
    [{ publishConfig: { access: 'restricted' } }, /publishConfig must be .*"provenance":true/],
    [{ keywords: undefined }, /keywords must include attune\n.*include metric\n.*include exact\n/],
    [{ keywords: ['attune', 'metric', 'exact'] }, /keywords must include a term of the field/],
  ]
  for (const [change, words] of wrong)
    it(`rejects ${JSON.stringify(change)}`, () => assert.match(problems(change), words))
  it('rejects a missing or different license', () => {
    for (const license of ['', 'MIT'])
      assert.deepEqual(manifests([plugin({ license })]).problems, [
        "plugins/metric-exact/LICENSE must be a copy of the root's LICENSE",
      ])
  })
  it('accepts a dependency that the source names without an import', () =>
    assert.equal(
      problems(
        { dependencies: { ...MANIFEST.dependencies, '@attune/nn': '^0.1.0' } },
        { ...FILES, 'src/names.ts': "export const plugins = ['@attune/nn']\n" },
      ),
      '',
    ))
  it('accepts the fields that withFields writes, in any order of the input', () => {
    const { name, version, license, ...rest } = MANIFEST
    const written = withFields('plugins/metric-exact', { ...rest, license, version, name })
    assert.deepEqual(Object.entries(written), Object.entries(MANIFEST))
    assert.deepEqual(written.keywords, keywordsOf('metric', 'exact'))
    assert.equal(written.homepage, fieldsOf('plugins/metric-exact').homepage)
  })
  it('finds a missing dependency of a test', () => {
    const files = { ...FILES, 'src/exact.test.ts': "import { of } from 'rxjs'\n" }
    assert.match(problems({}, files), /lacks rxjs, which a test imports/)
    assert.equal(problems({ devDependencies: { rxjs: '7.8.2' } }, files), '')
  })
  it('finds a missing peer dependency of a dependency', () => {
    const nn = plugin({
      folder: 'packages/nn',
      short: 'nn',
      group: 'packages',
      manifest: withFields('packages/nn', {
        ...MANIFEST,
        ...{ name: '@attune/nn', keywords: ['attune', 'metric', 'exact', 'layers'] },
        peerDependencies: { '@attune/core': '^0.1.0', tensors: '^4.0.0' },
      }),
      files: { ...FILES, 'src/more.ts': "import 'tensors'\n" },
    })
    const on = plugin({
      manifest: { ...MANIFEST, dependencies: { ...MANIFEST.dependencies, '@attune/nn': '^0.1.0' } },
      files: { ...FILES, 'src/more.ts': "import '@attune/nn'\n" },
    })
    assert.deepEqual(manifests([nn, on]).problems, [
      'plugins/metric-exact/package.json lacks tensors, a peer dependency of one of its dependencies',
    ])
  })
})

describe('floors', () => {
  const nn = plugin({
    folder: 'packages/nn',
    group: 'packages',
    short: 'nn',
    manifest: { ...MANIFEST, name: '@attune/nn' },
  })
  const importing = (/** @type {string} */ name) => ({ 'src/exact.ts': `import '${name}'\n` })
  const problems = (/** @type {import('./packages.mjs').Package[]} */ ...packages) => floors(packages).problems
  it('accepts an import of a lower layer', () =>
    assert.deepEqual(problems(nn, plugin({ files: importing('@attune/nn') })), []))
  it('rejects an import of a higher layer', () =>
    assert.match(
      problems({ ...nn, files: importing('@attune/metric-exact') }, plugin()).join(),
      /packages\/nn\/src\/exact\.ts in layer 1 imports @attune\/metric-exact in layer 3/,
    ))
  it('rejects an import between plugins', () => {
    const other = plugin({
      folder: 'plugins/metric-other',
      short: 'metric-other',
      manifest: { ...MANIFEST, name: '@attune/metric-other' },
    })
    assert.equal(problems(other, plugin({ files: importing('@attune/metric-other') })).length, 1)
  })
})

describe('cycles', () => {
  const problems = (/** @type {Record<string, string>} */ files) => cycles([plugin({ files })]).problems
  it('accepts a diamond', () =>
    assert.deepEqual(
      problems({
        'src/a.ts': "import './b.js'\nexport * from './c.js'",
        'src/b.ts': "import './d.js'",
        'src/c.ts': "import './d.js'",
        'src/d.ts': '',
      }),
      [],
    ))
  it('rejects a cycle through a folder, a type import and a re-export', () =>
    assert.deepEqual(
      problems({
        'src/a.ts': "import type { B } from './deep/b.js'",
        'src/deep/b.ts': "export * from '../c.js'",
        'src/c.ts': "const a = await import('./a.js')",
      }),
      ['plugins/metric-exact: src/a.ts → src/deep/b.ts → src/c.ts → src/a.ts'],
    ))
  it('rejects a file that imports itself', () => assert.equal(problems({ 'src/a.ts': "import './a.js'" }).length, 1))
})

describe('free of Node.js', () => {
  it('finds Node.js modules imported through files, dynamic imports and other packages, except under a browser condition', () => {
    const dist = join(dirname(fileURLToPath(import.meta.url)), 'dist')
    mkdirSync(dist, { recursive: true })
    const folder = mkdtempSync(join(dist, 'graph-'))
    const files = {
      'a/index.js': "export * from './part.js'\nimport '#disk'\nimport 'elsewhere'\n",
      'a/part.js': "export const later = () => import('@attune/b/inner')\n",
      'a/disk.js': "import 'node:fs'\n",
      'a/no-disk.js': '',
      'b/inner.js': "import { join } from 'path'\n",
    }
    try {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), text)
      }
      const a = { name: '@attune/a', imports: { '#disk': { browser: './no-disk.js', default: './disk.js' } } }
      const b = { name: '@attune/b', exports: { './inner': { default: './inner.js' } } }
      const packages = [
        plugin({ manifest: a, directory: join(folder, 'a') }),
        plugin({ manifest: b, directory: join(folder, 'b') }),
      ]
      const { builtins } = reached(join(folder, 'a/index.js'), packages)
      assert.deepEqual(
        builtins.map(({ name, chain }) => [name, chain.length, chain.at(-1)?.endsWith('b/inner.js')]),
        [['path', 3, true]],
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('READMEs', () => {
  const problems = (/** @type {string} */ readme) => readmes([plugin({ readme })]).problems.join('\n')
  it('accepts a valid README', () => assert.equal(problems(README), ''))
  it('extracts the snippet', () => assert.deepEqual(fences(README, 'Use', 'ts'), ["console.log('used')\n"]))
  /** @type {[string, string, string, RegExp][]} */
  const wrong = [
    ['a missing heading', '## Source\n', '', /expected the headings/],
    ['another order', '## Install', '## Use first', /expected the headings/],
    ['another title', '# @attune/metric-exact', '# Exact', /must start with/],
    ['no sentence', 'Fraction of identical texts.', '', /expected one sentence/],
    ['no snippet', '```ts', '```sh', /expected one ```ts block in "## Use", got 0/],
    ['no markers for the options', '<!-- options -->\n', '', /must have <!-- options -->/],
  ]
  for (const [title, from, to, words] of wrong)
    it(`rejects ${title}`, () => assert.match(problems(README.replace(from, to)), words))
  it('rejects a missing README', () => assert.match(problems(''), /is missing/))
})

describe('error codes', () => {
  const page = (/** @type {string} */ code) =>
    `# ${code}\n\n## What it means\n\nIt.\n\n## Why it happens\n\nSo.\n\n## What to do\n\nThat.\n`
  const problems = (/** @type {string} */ source, /** @type {Record<string, string>} */ pages) =>
    errorCodes(
      [plugin({ files: { 'src/a.ts': source, 'src/a.test.ts': "new AttuneError('IN_A_TEST', '', '')" } })],
      pages,
    ).problems
  const thrown = "throw new AttuneError(\n  'NOT_UTF8',\n  'a', 'b')"
  it('accepts codes with pages', () => assert.deepEqual(problems(thrown, { NOT_UTF8: page('NOT_UTF8') }), []))
  it('rejects a code without a page', () => assert.match(problems(thrown, {}).join(), /NOT_UTF8 has no page/))
  it('rejects a page without a code', () =>
    assert.match(problems('', { OLD: page('OLD') }).join(), /docs\/errors\/OLD\.md: nothing throws OLD/))
  it('rejects a code that is not a literal', () =>
    assert.match(
      problems('throw new AttuneError(code, a, b)', {}).join(),
      /expected a literal code in `new AttuneError`, got code/,
    ))
  it('rejects a code in lower case', () =>
    assert.match(
      problems("new AttuneError('oops', a, b)", {}).join(),
      /expected a code in UPPER_SNAKE_CASE, got "oops"/,
    ))
  it('rejects a page without the headings', () =>
    assert.equal(problems(thrown, { NOT_UTF8: '# Not UTF-8\n' }).length, 2))
})

describe('exports', () => {
  it('accepts the listed names', () => assert.deepEqual(compareNames({ a: ['x'] }, { a: ['x'] }), []))
  it('reports added and removed names', () =>
    assert.deepEqual(compareNames({ a: ['x', 'z'] }, { a: ['x', 'y'], b: ['q'] }), [
      'a exports z, which is not in exports.json',
      'a no longer exports y',
      'b no longer exports q',
    ]))
})

describe('generated parts', () => {
  it('replaces only the text between the markers', () =>
    assert.equal(
      replacePart('a\n<!-- p -->\nold\n<!-- /p -->\nb', 'p', 'new\n'),
      'a\n<!-- p -->\n\nnew\n\n<!-- /p -->\nb',
    ))
  it('returns undefined without markers', () => assert.equal(replacePart('a', 'p', 'new'), undefined))
  it('escapes pipes and line breaks in cells', () =>
    assert.equal(table(['a'], [['x | y\nz']]), '| a |\n| --- |\n| x \\| y z |'))
  it('formats options as a table', () => {
    const schema = z.strictObject({
      share: z.number().min(0).lt(1).default(0.9).describe('Fraction kept'),
      size: z.int().positive().describe('Size'),
      count: z.int().min(2).optional().describe('Count'),
      way: z.enum(['up', 'down']).default('up').describe('Way'),
      fields: z.array(z.string()).default([]).describe('Fields'),
      either: z
        .union([z.boolean(), z.literal('auto')])
        .default('auto')
        .describe('Either'),
      inner: z
        .strictObject({ most: z.number().max(1).describe('Most') })
        .optional()
        .describe('Inner'),
    })
    const rows = optionsTable(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })).split('\n')
    assert.deepEqual(rows, [
      '| option | values | default | what it is |',
      '| --- | --- | --- | --- |',
      '| `share` | number in [0, 1) | `0.9` | Fraction kept |',
      '| `size` | integer > 0 | required | Size |',
      '| `count` | integer ≥ 2 | none | Count |',
      '| `way` | `up`, `down` | `"up"` | Way |',
      '| `fields` | list of text | `[]` | Fields |',
      '| `either` | `true` or `false` or `auto` | `"auto"` | Either |',
      '| `inner` | record | none | Inner |',
      '| `inner.most` | number ≤ 1 | required | Most |',
    ])
  })
  it('states that there are no options', () =>
    assert.equal(optionsTable(z.toJSONSchema(z.strictObject({}))), 'It has no options.'))
})

describe('snippets', () => {
  /** Problems of one snippet. @param {string} code @param {number} [seconds] */
  async function problems(code, seconds) {
    const dist = join(dirname(fileURLToPath(import.meta.url)), 'dist')
    mkdirSync(dist, { recursive: true })
    const folder = mkdtempSync(join(dist, 'test-'))
    try {
      const mistyped = compile(folder, [{ name: 'exact', code }])
      return [...mistyped, ...(await run(folder, { name: 'exact', code }, seconds))].join('\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  it('accepts a snippet that prints', async () =>
    assert.equal(await problems("import { key } from '@attune/core'\nconsole.log(await Promise.resolve(key(1)))"), ''))
  it('rejects a type error', async () =>
    assert.match(await problems('const n: number = "a"\nconsole.log(n)'), /TS2322/))
  it('rejects a name that is not exported', async () =>
    assert.match(
      await problems("import { nothing } from '@attune/core'\nconsole.log(nothing)"),
      /TS2305[\s\S]*exit code 1/,
    ))
  it('rejects a snippet that throws', async () =>
    assert.match(await problems("console.log(1)\nthrow new Error('broken')"), /exit code 1[\s\S]*broken/))
  it('rejects a snippet that prints nothing', async () => assert.match(await problems('export {}'), /printed nothing/))
  it('rejects a snippet that does not end', async () =>
    assert.match(await problems('console.log(1)\nsetInterval(() => 0, 1000)', 1), /not done after 1 seconds/))
})

describe('links', () => {
  const known = new Set(['docs', 'docs/a.md', 'docs/b.md', 'docs/image.svg'])
  const read = () => '# One title\n\n## With `code`, and more\n'
  const broken = (/** @type {string} */ text) => brokenLinks('docs/a.md', text, known, read)

  it('accepts files, folders, headings, other sites and links inside code', () => {
    const text = '[b](b.md#with-code-and-more) ![i](image.svg) [f](../docs) [s](https://example.org) `[x](no.md)`'
    assert.deepEqual(broken(text), [])
  })

  it('rejects a file that is not tracked and a heading that does not exist', () => {
    assert.equal(broken('[c](c.md) and [b](b.md#missing)').length, 2)
  })

  it('numbers equal headings', () => {
    assert.deepEqual([...anchorsIn('# A\n\n## A\n')], ['a', 'a-1'])
  })
})
