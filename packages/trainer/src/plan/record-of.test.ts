import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { planRun } from './plan.js'
import { recordOf } from './record-of.js'
import { memberNames } from '@attune/testkit'

const names = memberNames
const one = (name: string): unknown => JSON.parse(`{"${name}": 1}`)

describe('recordOf', () => {
  const schema = recordOf(z.string(), z.number())

  it.each(names)('keeps a key or rejects it by name: %s', (name) => {
    const { data, error } = schema.safeParse(one(name))
    if (error === undefined) expect(Object.entries(data!)).toEqual([[name, 1]])
    else expect([name, error.issues[0]!.message]).toEqual(['__proto__', 'unknown `__proto__`'])
  })

  it('rejects other keys and values as a record does', () => {
    expect(schema.safeParse({ a: 'x' }).error!.issues[0]!.path).toEqual(['a'])
    expect(schema.safeParse([]).success).toBe(false)
    expect(schema.safeParse({}).data).toEqual({})
  })
})

it.each(['models', 'schedule'])('a run rejects `__proto__` in %s by name', async (key) => {
  const config = {
    data: { train: { use: 'jsonl', path: 'x' } },
    tokenizer: 'word',
    model: 'lstm',
    objective: 'sequence-classification',
    [key]: JSON.parse('{"__proto__": {"use": "bert"}}') as never,
  }
  await expect(planRun(config)).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    problem: expect.stringContaining('__proto__') as unknown,
  })
})
