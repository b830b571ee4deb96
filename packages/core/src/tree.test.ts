import { describe, expect, it } from '@jest/globals'
import { isHostArray, isTensor, leaves, mapParams, mapTree, treeOf } from './tree.js'

const isNumber = (node: unknown): node is number => typeof node === 'number'

describe('leaves and treeOf', () => {
  it('list leaves in sorted order of their paths, and rebuild the tree', () => {
    const tree = { b: { y: 2, x: 1 }, a: 0 }
    expect(leaves(tree, isNumber)).toEqual([
      ['a', 0],
      ['b/x', 1],
      ['b/y', 2],
    ])
    expect(treeOf(leaves(tree, isNumber))).toEqual(tree)
    expect(leaves(7, isNumber)).toEqual([['', 7]])
    expect(treeOf([['', 7]])).toBe(7)
  })

  it('never reach a prototype, whatever the path', () => {
    const tree = treeOf([
      ['__proto__/polluted', 1],
      ['constructor/prototype/polluted', 2],
    ])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(leaves(tree, isNumber)).toEqual([
      ['__proto__/polluted', 1],
      ['constructor/prototype/polluted', 2],
    ])
  })
})

describe('mapTree', () => {
  it('keeps all keys, including those of empty records and `__proto__`', () => {
    expect(mapTree({ a: 1, b: { c: 2 }, d: {} }, isNumber, (n) => n * 2)).toEqual({ a: 2, b: { c: 4 }, d: {} })
    const odd = mapTree(JSON.parse('{"__proto__": {"x": 1}}'), isNumber, (n) => n + 1)
    expect(JSON.stringify(odd)).toBe('{"__proto__":{"x":2}}')
  })
})

describe('mapParams', () => {
  it('uses the names of the first record', () => {
    const added = mapParams((a: number, b: number | undefined) => [a, b], { x: 1, y: 2 }, { y: 20, z: 30 })
    expect(added).toEqual({ x: [1, undefined], y: [2, 20] })
  })
})

describe('isTensor and isHostArray', () => {
  it('distinguish leaves from records by their fields', () => {
    const array = { shape: [1], dtype: 'float32', values: Float32Array.of(1) }
    expect([isHostArray(array), isHostArray({ ...array, values: [1] }), isHostArray(null)]).toEqual([
      true,
      false,
      false,
    ])
    expect([isTensor({ dataId: {} }), isTensor(array), isTensor(null), isTensor('dataId')]).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})
