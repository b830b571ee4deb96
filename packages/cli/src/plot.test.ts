import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { rangeText, schedulesText } from './commands/plot.js'
import { buildProgram } from './program.js'

describe('attune plot schedule', () => {
  it('plots each scheduled option over the steps, with its extremes', () => {
    const text = schedulesText(
      { steps: 100, at: (step) => ({ learningRate: 0.5 * (1 - (step - 1) / 99), 'model.dropout': 0.1 }) },
      80,
    )
    const [rates, dropout] = text.split('\n\n')
    expect(rates).toMatch(/^0\.500\d* ┤⠉?/)
    expect(rates).toMatch(/step 1 +100\n.*learningRate$/)
    expect(dropout).toMatch(/model\.dropout$/)
  })

  it('prints the value of a single step', () =>
    expect(schedulesText({ steps: 1, at: () => ({ learningRate: 0.25 }) }, 80)).toBe(
      'learningRate: 0.2500 at the only step',
    ))
})

describe('attune plot learning-rate', () => {
  const points = [1, 0.9, 0.5, 0.4, 3].map((loss, i) => ({ learningRate: 10 ** (i - 5), loss, smoothed: loss }))

  it('suggests the rate of the steepest descent, and leaves out losses that diverge', () => {
    const text = rangeText({ points, steepest: 1e-3, lowest: 1e-2 }, 80)
    expect(text).toMatch(/^ *1 ┤/)
    expect(text).toMatch(/learning rate 1e-5 +1e-2/)
    expect(text).toContain('--set training.learningRate=1.0e-3')
  })

  it('says so if the loss never falls', () =>
    expect(rangeText({ points: points.slice(0, 2), steepest: undefined, lowest: 1 }, 80)).toContain('never falls'))
})

describe('attune plot trainable', () => {
  const root = mkdtempSync(join(tmpdir(), 'attune-plot-'))
  afterAll(() => rmSync(root, { recursive: true }))

  it('prints a table and writes a new image of what an adapter trains', async () => {
    const rows = Array.from({ length: 24 }, (_, i) => ({ text: `the ${i % 2 ? 'good' : 'bad'}`, label: `${i % 2}` }))
    writeFileSync(join(root, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const model = { hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 32 }
    const config = {
      data: { train: { use: 'jsonl', path: 'rows.jsonl' } },
      tokenizer: { use: 'wordpiece', vocabularySize: 100 },
      model: { use: 'bert', ...model },
      objective: 'sequence-classification',
      engine: 'tfjs-cpu',
      adapter: { use: 'lora', rank: 1 },
    }
    writeFileSync(join(root, 'config.yaml'), JSON.stringify(config))
    const [file, image] = [join(root, 'config.yaml'), join(root, 'map.svg')]
    const printed: string[] = []
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
    const plot = () => buildProgram().parseAsync(['plot', 'trainable', file, '--svg', image], { from: 'user' })
    try {
      await plot()
    } finally {
      write.mockRestore()
    }
    // Rank 1 at query, key, value and output: 4 · (16 + 16) of 4 · (16 · 16 + 16).
    expect(printed.join('')).toMatch(/layer 0–1 +\+12 % +· frozen +· frozen/)
    expect(printed.join('')).toMatch(/head +■ full/)
    expect(readFileSync(image, 'utf8')).toMatch(/<svg[^]*>lora<[^]*>\+12 %</)
    await expect(plot()).rejects.toMatchObject({ code: 'FILE_EXISTS' })
  })
})
