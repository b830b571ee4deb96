import { describe, expect, it } from '@jest/globals'
import type { Tokenizer } from '@attune/core'
import { growingText } from './text-of.js'

/** Ids are bytes of UTF-8, so that a token may be a part of a character. */
const bytes = {
  decode: (ids: ArrayLike<number>) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(ids)),
} as Tokenizer
const idsOf = (text: string): number[] => [...new TextEncoder().encode(text)]

/** What is given out token by token, and at the end. */
function grow(prompt: string, written: string, stops: readonly string[] = []) {
  const text = growingText(bytes, idsOf(prompt), stops)
  const ids = idsOf(written)
  const given: string[] = []
  for (let i = 1; i <= ids.length; i++) {
    const { text: fresh, stopped } = text.add(ids.slice(0, i))
    given.push(fresh)
    if (stopped) return { given, stopped, whole: text.finish(ids.slice(0, i)).whole }
  }
  const { text: rest, whole } = text.finish(ids)
  return { given: [...given, rest], stopped: false, whole }
}

describe('growingText', () => {
  it('gives out a character when it is whole', () => {
    const { given, whole } = grow('x', 'aé👍')
    expect(given).toEqual(['a', '', 'é', '', '', '', '👍', ''])
    expect(whole).toBe('aé👍')
  })

  it('begins in the middle of a character of the prompt', () => {
    const text = growingText(bytes, [0xc3], [])
    expect(text.add([0xa9]).text + text.finish([0xa9]).text).not.toBe('')
  })

  it('stops at a stop text and gives out nothing of it', () => {
    const { given, stopped, whole } = grow('', 'say END now', ['END', 'never'])
    expect(stopped).toBe(true)
    expect(whole).toBe('say ')
    expect(given.join('')).toBe('say ')
  })

  it('gives out what only looked like the beginning of a stop text', () => {
    const { given, whole } = grow('', 'ENERGY EN', ['END'])
    expect(given.join('')).toBe('ENERGY EN')
    expect(given.at(-1)).toBe('EN')
    expect(whole).toBe('ENERGY EN')
  })

  it('takes the stop text that comes first', () => {
    expect(grow('', 'one two', [' two', 'e t']).whole).toBe('on')
  })
})
