import { describe, expect, it } from '@jest/globals'
import { trainingMapSvg } from './training-map-svg.js'
import { type MapPart, type MapRow, trainingTable } from './training-map.js'

const part = (parameters: number, trainable: number, added = 0): MapPart => ({ parameters, trainable, added })
const layer = (i: number, attention: MapPart): MapRow => ({
  name: `layer ${i}`,
  parts: { attention, 'feed-forward': part(200, 0) },
})
const rows: MapRow[] = [
  { name: 'embeddings', parts: { embeddings: part(50, 0), norms: part(4, 4) } },
  layer(0, part(100, 0, 8)),
  layer(1, part(100, 0, 8)),
  layer(2, part(100, 12)),
  { name: 'added', parts: { embeddings: part(0, 0, 5) } },
]

describe('trainingTable', () => {
  it('shows full, partial, added and frozen parameters, with equal layers in one row', () =>
    expect(trainingTable(rows)).toEqual([
      '            embeddings  attention  feed-forward  norms',
      'embeddings  · frozen                             ■ full',
      'layer 0–1               +8.0 %     · frozen',
      'layer 2                 ◧ 12 %     · frozen',
      'added       new',
    ]))

  it('keeps the layers of different stacks apart', () => {
    const stacks = ['encoder', 'encoder', 'decoder'].map((stack, i) => ({
      ...layer(0, part(1, 1)),
      name: `${stack} layer ${i}`,
    }))
    expect(trainingTable(stacks).map((line) => line.split('  ')[0])).toEqual([
      '',
      'encoder layer 0–1',
      'decoder layer 2',
    ])
  })
})

describe('trainingMapSvg', () => {
  const svg = trainingMapSvg(
    [
      { title: 'a <b>', rows },
      { title: 'other', rows },
    ],
    2,
  )

  it('draws a cell for each part, and a bar as wide as the fraction that trains', () => {
    const count = (pattern: RegExp): number => svg.match(pattern)?.length ?? 0
    expect(count(/<g /g)).toBe(2)
    // Nine cells in each map, and one sample in the legend.
    expect(count(/class="frozen"/g)).toBe(2 * 9 + 1)
    expect(count(/class="full"/g)).toBe(2 * 1 + 1)
    expect(svg).toContain('<rect class="full" x="266" y="42" width="54"')
    expect(svg).toContain('<rect class="partial" x="150" y="87" width="6"') // 12 % of 54
  })

  it('escapes titles', () => {
    expect(svg).toContain('a &#60;b&#62;')
    expect(svg).not.toContain('<b>')
  })

  it('merges equal layers of a deep model', () => {
    const deep = Array.from({ length: 40 }, (_, i) => layer(i, part(1, 1)))
    expect(trainingMapSvg([{ title: 'deep', rows: deep }])).toContain('>layer 0–39<')
  })
})
