import { describe, expect, it } from '@jest/globals'
import type { RunEvent } from './events.js'
import { parseEvent, stringifyEvent } from './events-json.js'

describe('parseEvent', () => {
  it('inverts stringifyEvent, including NaN and infinities', () => {
    const event = {
      type: 'evaluation.completed',
      at: 5,
      step: 3,
      split: 'NaN',
      scores: { a: { value: NaN }, b: { value: -Infinity, parts: { number: { x: Infinity, number: 2 } } } },
      examples: 2,
      seconds: 0.25,
    } as RunEvent
    expect(parseEvent(stringifyEvent(event))).toEqual(event)
  })

  it.each(['', '{', '[]', '"x"', '{"type":"step.completed"}', '{"at":3}', `${'['.repeat(1000)}`])(
    'throws a SyntaxError on %j',
    (line) => expect(() => parseEvent(line)).toThrow(SyntaxError),
  )
})
