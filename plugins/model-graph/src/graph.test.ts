import { expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { graph } from './graph.js'

const { gcn, gat } = readModelGoldens(graph, 'golden')

describeModel(graph, { options: { ...gcn!.options, dropout: 0.3 }, goldens: [gcn!] })
describeModel(graph, { options: { ...gat!.options, dropout: 0.3 }, goldens: [gat!] })

it('refuses a width that the heads of a gat layer do not divide', () => {
  expect(() => graph({ layer: 'gat', hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('hiddenSize') }),
  )
})
