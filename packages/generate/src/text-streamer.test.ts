import { describe, expect, it } from '@jest/globals'
import type { Tokenizer } from '@attune/core'
import { textStreamer } from './text-streamer.js'

/** Token ids are UTF-8 bytes, so a token may be part of a character. */
const bytes = {
  decode: (ids: ArrayLike<number>) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(ids)),
} as Tokenizer
const idsOf = (text: string): number[] => [...new TextEncoder().encode(text)]

/** The text returned after each token and at the end. */
function stream(prompt: string, generated: string, stops: readonly string[] = []) {
  const text = textStreamer(bytes, idsOf(prompt), stops)
  const ids = idsOf(generated)
  const emitted: string[] = []
  for (let i = 1; i <= ids.length; i++) {
    const { text: fresh, stopped } = text.add(ids.slice(0, i))
    emitted.push(fresh)
    if (stopped) return { emitted, stopped, fullText: text.finish(ids.slice(0, i)).fullText }
  }
  const { text: rest, fullText } = text.finish(ids)
  return { emitted: [...emitted, rest], stopped: false, fullText }
}

describe('textStreamer', () => {
  it('returns a character once all of its bytes are known', () => {
    const { emitted, fullText } = stream('x', 'aé👍')
    expect(emitted).toEqual(['a', '', 'é', '', '', '', '👍', ''])
    expect(fullText).toBe('aé👍')
  })

  it('starts in the middle of a character of the prompt', () => {
    const text = textStreamer(bytes, [0xc3], [])
    expect(text.add([0xa9]).text + text.finish([0xa9]).text).not.toBe('')
  })

  it('stops at a stop sequence and returns no part of it', () => {
    const { emitted, stopped, fullText } = stream('', 'say END now', ['END', 'never'])
    expect(stopped).toBe(true)
    expect(fullText).toBe('say ')
    expect(emitted.join('')).toBe('say ')
  })

  it('returns held-back text that turned out not to be a stop sequence', () => {
    const { emitted, fullText } = stream('', 'ENERGY EN', ['END'])
    expect(emitted.join('')).toBe('ENERGY EN')
    expect(emitted.at(-1)).toBe('EN')
    expect(fullText).toBe('ENERGY EN')
  })

  it('stops at a special token, alone or with text around it, and returns no part of it', () => {
    const special = 300
    const tokenizer = {
      decode: (ids: ArrayLike<number>) => bytes.decode(Array.from(ids).filter((id) => id !== special)),
      token: (id: number) => (id === special ? '<|im_end|>' : undefined),
    } as Tokenizer
    const generated = [...idsOf('yes'), special, ...idsOf('more text')]
    const run = (stops: readonly string[]) => {
      const text = textStreamer(tokenizer, idsOf('x'), stops)
      for (let i = 1; i <= generated.length; i++)
        if (text.add(generated.slice(0, i)).stopped) return [i, text.finish(generated.slice(0, i)).fullText]
      return [0, text.finish(generated).fullText]
    }
    expect(run(['<|im_end|>'])).toEqual([4, 'yes'])
    expect(run(['<|im_end|>more'])).toEqual([8, 'yes'])
    expect(run(['s<|im'])).toEqual([4, 'ye'])
    expect(run(['im_end|>m'])).toEqual([5, 'yes'])
    expect(run(['more'])).toEqual([8, 'yes'])
    expect(run(['<|other|>'])).toEqual([0, 'yesmore text'])
    const text = textStreamer(tokenizer, [], ['<|im_end|>more'])
    expect([4, 5, 6, 7, 8].map((i) => text.add(generated.slice(0, i)).text)).toEqual(['yes', '', '', '', ''])
  })

  it('stops at the stop sequence that occurs first', () => {
    expect(stream('', 'one two', [' two', 'e t']).fullText).toBe('on')
  })
})
