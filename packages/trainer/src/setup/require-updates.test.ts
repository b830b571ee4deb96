import { describe, expect, it } from '@jest/globals'
import type { AnyPlugin, Optimizer } from '@attune/core'
import { requireUpdates } from './require-updates.js'

interface Link {
  readonly only?: string
  readonly link?: Optimizer['link']
  readonly name?: string
}
const NAMES = ['embeddings.weight', 'layer.0.weight', 'classifier.weight']

/** Checks a chain of links. */
const check = (...links: readonly Link[]): void =>
  requireUpdates(
    NAMES,
    links.map(({ only, name = 'adamw' }) => ({
      plugin: { name, kind: { name: 'optimizer' } } as AnyPlugin,
      common: only === undefined ? {} : { only },
    })),
    links.map(({ link }) => (link === undefined ? {} : { link })),
  )
const before: Link = { name: 'sam', link: 'before' }
const after: Link = { name: 'average', link: 'after' }

describe('requireUpdates', () => {
  it('accepts a chain with an unrestricted optimizer, and patterns that match every parameter', () => {
    expect(() => check({ only: 'classifier.*' }, {})).not.toThrow()
    expect(() => check({ only: 'classifier.*' }, { only: 'e*' }, { only: 'layer.*' })).not.toThrow()
    expect(() => check({ only: 'classifier.*' }, { only: '!classifier.*' })).not.toThrow()
    expect(() => check({})).not.toThrow()
    expect(() => check(before, {}, after)).not.toThrow()
  })

  it('throws with the parameters that no pattern matches, whatever links there are', () => {
    expect(() => check({ only: 'classifier.*' }, { only: 'layer.*' })).toThrow(
      /got none for 1 of 3: embeddings\.weight/,
    )
    expect(() => check(before, { only: 'classifier.*' }, after)).toThrow(/got none for 2 of 3/)
  })

  it('rejects a chain of links only', () => {
    expect(() => check(before, after)).toThrow(/expected an optimizer, got only links of a chain: sam, average/)
  })

  it('rejects a link on the wrong side of the optimizers', () => {
    expect(() => check(after, {})).toThrow(/optimizer average transforms updates: expected it after all optimizers/)
    expect(() => check({ only: 'e*' }, after, { only: '!e*' })).toThrow(/average transforms updates/)
    expect(() => check({}, before)).toThrow(/optimizer sam transforms gradients: expected it before an optimizer/)
  })

  it('does not check the order of a chain from a scope, whose entries are unknown', () => {
    expect(() => requireUpdates(NAMES, [{ plugin: { name: 'x' } as AnyPlugin, common: {} }], [])).not.toThrow()
  })
})
