// @ts-check
/**
 * Takes a screenshot of a page of `attune data inspect --html`, for masked language modeling on examples/debian-sections: `node
 * tools/docs/inspected-batch.mjs`. Writes docs/images/inspected-batch.png. The packages must be built, and Chromium unpacked (`node
 * tools/browser/chromium.mjs`).
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { evaluateIn, findChromium } from '../browser/chromium.mjs'

const root = join(import.meta.dirname, '../..')
const browser = findChromium()
if (browser === undefined) throw new Error('no Chromium here: run `node tools/browser/chromium.mjs`')

const folder = mkdtempSync(join(tmpdir(), 'attune-inspected-'))
try {
  const file = join(folder, 'page.html')
  const masked = ['objective={ use: masked-language-modeling, maximumLength: 48 }', 'metric=[]', 'callback=[]']
  const command = ['packages/cli/bin/attune.mjs', 'data', 'inspect', 'examples/debian-sections/config.yaml']
  const options = [...masked.map((value) => `--set=${value}`), '--rows=4', '--html', file]
  execFileSync(process.execPath, [...command, ...options], { cwd: root, stdio: 'inherit' })
  const { picture } = await evaluateIn(browser, pathToFileURL(file).href, 'document.title', 'page.png')
  writeFileSync(join(root, 'docs/images/inspected-batch.png'), Buffer.from(picture ?? '', 'base64'))
} finally {
  rmSync(folder, { recursive: true })
}
