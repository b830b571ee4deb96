import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type InspectedBatch, addCounts } from '@attune/trainer/node'
import { commandsIn } from './command.test.fixture.js'
import { inspectedHtml } from './commands/data/inspect-html.js'
import { colours, inspectedText, signs } from './commands/data/inspect-text.js'

const root = mkdtempSync(join(tmpdir(), 'attune-inspect-'))
const { attune, close } = commandsIn(root, { ATTUNE_CACHE: join(root, 'cache') })
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const MALICIOUS = '<img src=x onerror=alert(1)>'
const batch: InspectedBatch = {
  counts: { examples: 2, tokens: 8, padding: 2, trained: 2, masked: 1, truncated: 1 },
  rows: [
    {
      stream: 'input',
      target: MALICIOUS,
      weight: 0.5,
      tokens: [
        { text: '[CLS]', role: 'special', trained: 0, segment: 0 },
        { text: MALICIOUS, role: 'text', trained: 1, segment: 0, truncated: 'after' },
        { text: '[MASK]', role: 'special', trained: 1, masked: 'cat', segment: 1 },
        { text: '[PAD]', role: 'padding', trained: 0 },
        { text: '[PAD]', role: 'padding', trained: 0 },
      ],
    },
    { stream: 'input', tokens: [{ text: 'Rome\u001b[2J', role: 'text', trained: 1, label: 'B-LOC' }] },
  ],
}

const { findChromium, evaluateIn } = (await import(
  pathToFileURL(join(import.meta.dirname, '../../../tools/browser/chromium.mjs')).href
)) as {
  findChromium: () => object | undefined
  evaluateIn: (browser: object, url: string, expression: string) => Promise<{ value: unknown }>
}
const browser = findChromium()

describe('inspected batches', () => {
  it('show roles by signs without colour', () => {
    const lines = inspectedText([batch], addCounts([batch.counts]), 8, signs).split('\n')
    expect(lines.slice(2, 7)).toEqual([
      'batch 1: 2 examples, 8 positions',
      `row 1  → ${MALICIOUS}  weight 0.5`,
      `  ¦0¦ <[CLS]> +${MALICIOUS} ✂ ¦1¦ [[MASK]←cat] ·×2`,
      'row 2',
      '  Rome�[2J/B-LOC',
    ])
    expect(lines).toContain('trained             2 (25.0 %)')
    expect(lines).toContain('truncated examples  1 (50.0 %)')
  })

  it('show no more rows than asked for, and roles by colour', () => {
    const text = inspectedText([batch], batch.counts, 1, colours)
    expect(text).not.toContain('Rome')
    expect(text).toContain('\u001b[35m[MASK]←cat\u001b[39m')
  })

  it('are a page whose texts are escaped and that loads nothing', () => {
    const html = inspectedHtml([batch], batch.counts, 8, 'a "title" <b>')
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(html.match(/<(?:script|img|link|iframe|b)\b|https?:|url\(/)).toBeNull()
    const [opened, closed] = [html.match(/<span/g), html.match(/<\/span>/g)]
    expect(opened!.length).toBe(closed!.length)
  })

  if (browser === undefined)
    it.skip('are elements of the page in a browser: no Chromium here (node tools/browser/chromium.mjs unpacks one)', () =>
      undefined)
  else
    it('are elements of the page in a browser', async () => {
      const file = join(root, 'page.html')
      writeFileSync(file, inspectedHtml([batch], batch.counts, 8, 'a "title" <b>'))
      const count = `[document.querySelectorAll('img, script').length, document.querySelectorAll('div .trained').length, document.querySelectorAll('div .masked').length, document.querySelectorAll('div .padding').length]`
      const { value } = await evaluateIn(browser, pathToFileURL(file).href, count)
      expect(value).toEqual([0, 1, 1, 2])
    })
})

describe('attune data inspect', () => {
  beforeAll(() => {
    const rows = Array.from({ length: 20 }, (_, i) => ({
      text: `the cat number ${i} sat down`,
      label: i % 2 ? 'x' : 'y',
    }))
    writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    writeFileSync(
      join(root, 'config.yaml'),
      `data: { train: { use: jsonl, path: rows.jsonl } }
tokenizer: { use: wordpiece, vocabularySize: 120 }
model: { use: bert, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, maxPositionEmbeddings: 16 }
objective: sequence-classification
engine: tfjs-cpu
training: { batchSize: 4 }
`,
    )
  })

  it('prints the first batch with labels, special tokens and truncation', async () => {
    const { out, err, code } = await attune([
      'data',
      'inspect',
      'config.yaml',
      '--rows',
      '2',
      '--set',
      'objective.maximumLength=5',
    ])
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^row 1 {2}→ [xy]\n {2}<\[CLS\]> the cat number ✂ <\[SEP\]>$/m)
    expect(out).toMatch(/truncated examples +4 \(100\.0 %\)/)
    expect(out).not.toContain('row 3')
  })

  it('reads the objective generically: masks of a masked language model, on the validation split', async () => {
    const masked = [
      '--set',
      'objective={ use: masked-language-modeling }',
      '--set',
      'protocol={ use: holdout, stratifyBy: null }',
    ]
    const { out, err } = await attune(['data', 'inspect', 'config.yaml', '--split', 'validation', '--json', ...masked])
    expect(err).toBe('')
    const { counts } = JSON.parse(out) as { counts: InspectedBatch['counts'] }
    expect(counts.masked).toBeGreaterThan(0)
    expect(counts.masked).toBe(counts.trained)
  })

  it('writes a page once, and does not overwrite it', async () => {
    expect((await attune(['data', 'inspect', 'config.yaml', '--html', 'out.html', '--batches', '2'])).out).toBe(
      'Wrote out.html.\n',
    )
    expect(readFileSync(join(root, 'out.html'), 'utf8')).toContain('<h2>Batch 2</h2>')
    const { err, code } = await attune(['data', 'inspect', 'config.yaml', '--html', 'out.html'])
    expect([code !== 0, err]).toEqual([true, expect.stringContaining('FILE_EXISTS')])
  })
})
