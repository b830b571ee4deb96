// @ts-check
/**
 * Tests the generator for every kind of plugin in core: its output is formatted, lints, compiles and passes its tests, its README has the
 * headings and a snippet that runs, and its package.json lists the imports of the code.
 */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTree } from '@nx/devkit/testing'
import { ESLint } from 'eslint'
import { check, resolveConfig } from 'prettier'
import { budgets } from '../check/budgets.mjs'
import { manifests } from '../check/manifests.mjs'
import { packagesIn, root } from '../check/packages.mjs'
import { readmes } from '../check/readmes.mjs'
import { compile, run, snippetsOf } from '../check/snippets.mjs'
import { runJest } from '../run/jest.mjs'
import { runTsc } from '../run/tsc.mjs'
import plugin, { kindsOfCore } from './plugin.mjs'

const NAME = 'made-here'
const kinds = await kindsOfCore()
// Inside the repository, so that packages resolve; called dist, so that other tools ignore it.
const dist = join(root, 'tools/scaffold/dist')
mkdirSync(dist, { recursive: true })
const workspace = mkdtempSync(join(dist, 'workspace-'))
const folderOf = (/** @type {string} */ kind) => join(workspace, 'plugins', `${kind}-${NAME}`)

const bin = (/** @type {string} */ path) => join(root, 'node_modules', path)

/** Generates a plugin of every kind in the workspace. */
async function scaffold() {
  const tree = createTree()
  tree.write('.prettierrc', JSON.stringify(await resolveConfig(join(root, 'README.md'))))
  for (const kind of kinds) await plugin(tree, { kind, name: NAME })
  for (const { path, content } of tree.listChanges()) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true })
    writeFileSync(join(workspace, path), content ?? '')
  }
  copyFileSync(join(root, 'tsconfig.base.json'), join(workspace, 'tsconfig.base.json'))
  mkdirSync(join(workspace, 'packages'))
  mkdirSync(join(workspace, 'node_modules/@attune'), { recursive: true })
  for (const folder of [...readdirSync(join(root, 'packages')), ...readdirSync(join(root, 'plugins'))])
    symlinkSync(bin(`@attune/${folder}`), join(workspace, 'node_modules/@attune', folder))
  for (const kind of kinds) symlinkSync(folderOf(kind), join(workspace, 'node_modules/@attune', `${kind}-${NAME}`))
}

before(scaffold)
after(() => rmSync(workspace, { recursive: true }))

it('has a template for every kind of plugin in core, and for no other', () => {
  assert.deepEqual(readdirSync(join(root, 'packages/cli/templates/kinds')).sort(), kinds)
  assert.ok(kinds.length >= 18)
})

it('rejects an unknown kind, an invalid name, and an existing folder', async () => {
  const tree = createTree()
  await assert.rejects(plugin(tree, { kind: 'metrics', name: 'a' }), /expected a kind of plugin, got "metrics"/)
  await assert.rejects(plugin(tree, { kind: 'metric', name: 'MyMetric' }), /kebab-case/)
  await plugin(tree, { kind: 'metric', name: 'a' })
  await assert.rejects(plugin(tree, { kind: 'metric', name: 'a' }), /already exists/)
})

it('generates packages within the budgets, with the required headings and correct dependencies', () => {
  const made = packagesIn(workspace)
  assert.equal(made.length, kinds.length)
  const all = [...packagesIn().filter(({ group }) => group === 'packages'), ...made]
  const own = (/** @type {string} */ problem) => problem.includes(NAME)
  assert.deepEqual(manifests(all).problems.filter(own), [])
  assert.deepEqual(readmes(made).problems, [])
  assert.deepEqual(budgets(made).problems, [])
})

it('generates formatted files', async () => {
  for (const each of packagesIn(workspace)) {
    const files = { ...each.files, 'README.md': each.readme, 'package.json': each.manifestText }
    for (const [path, text] of Object.entries(files)) {
      const config = await resolveConfig(join(root, 'README.md'))
      assert.ok(await check(text, { ...config, filepath: join(each.directory, path) }), `${each.folder}/${path}`)
    }
  }
})

it('generates code without lint errors', async () => {
  const eslint = new ESLint({ cwd: root })
  for (const { folder, short, files } of packagesIn(workspace))
    for (const [path, text] of Object.entries(files)) {
      // Linted as files of an existing plugin, because the rule on floors asks Nx for the project.
      const home = short.startsWith('engine-') ? 'plugins/engine-tfjs-cpu' : 'plugins/metric-f1'
      const [result] = await eslint.lintText(text, { filePath: join(root, home, path) })
      assert.deepEqual(
        result?.messages.map(({ line, message }) => `${folder}/${path}:${line} ${message}`),
        [],
      )
    }
})

describe('a plugin of the kind', () => {
  const folders = kinds.map(folderOf)
  /** @type {{ success: boolean, text: string }[]} */
  let compiled = []
  /** @type {typeof compiled} */
  let tested = []
  before(async () => {
    compiled = await runTsc(folders.map((folder) => ({ folder, needs: [] })))
    tested = runJest(folders)
  })

  for (const [index, kind] of kinds.entries())
    describe(kind, () => {
      it('compiles', () => assert.deepEqual(compiled[index], { success: true, text: '' }))

      it('passes the contract suite of its kind', () => assert.ok(tested[index]?.success, tested[index]?.text))
    })
})

it('generates READMEs whose snippets compile, run and print', async () => {
  const folder = join(workspace, 'snippets')
  mkdirSync(folder)
  const snippets = snippetsOf(packagesIn(workspace))
  assert.equal(snippets.length, kinds.length)
  assert.deepEqual(compile(folder, snippets), [])
  for (const snippet of snippets) assert.deepEqual(await run(folder, snippet), [])
})
