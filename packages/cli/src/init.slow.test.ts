import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'
import { recognizeRows } from './commands/init/recognize-rows.js'

const root = mkdtempSync(join(tmpdir(), 'attune-init-'))
const commands = commandsIn(root)
afterAll(() => {
  commands.close()
  rmSync(root, { recursive: true })
})

/** Runs the command in the temporary folder and returns what it printed; rejects with that if it fails. */
async function attune(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await commands.attune(args)
  if (code !== 0)
    throw new Error(`${args.join(' ')}
${out}${err}`)
  return out
}

const ANIMALS = ['cat', 'dog', 'horse', 'bird', 'fish']
const sentence = (i: number): string =>
  `the ${ANIMALS[i % 5]} ${['eats', 'sees', 'likes'][(i * 2) % 3]} ${['grass', 'meat', 'bread', 'water'][(i * 7) % 4]}`
const ROWS: Readonly<Record<string, (i: number) => object>> = {
  labels: (i) => ({ review: `${sentence(i)} ${i % 2 ? 'happily' : 'sadly'}`, stars: i % 2 ? 'good' : 'bad' }),
  topics: (i) => ({ text: sentence(i), topics: ANIMALS.filter((animal) => sentence(i).includes(animal)) }),
  ratings: (i) => ({ text: sentence(i), rating: (i % 7) / 2 }),
  tags: (i) => {
    const words = sentence(i).split(' ')
    return { tokens: words, ner_tags: words.map((word) => (ANIMALS.includes(word) ? 'B-ANIMAL' : 'O')) }
  },
  texts: (i) => ({ text: sentence(i) }),
  alpaca: (i) => ({ instruction: `Name animal ${i % 5}`, input: '', output: ANIMALS[i % 5] }),
  questions: (i) => ({
    question: 'Which animal is it?',
    context: `${sentence(i)} today`,
    answers: { text: [ANIMALS[i % 5]], answer_start: [4] },
  }),
  choices: (i) => ({ sent1: `the ${ANIMALS[i % 5]}`, sent2: 'it', ending0: 'eats', ending1: 'flies', label: i % 2 }),
  grades: (i) => ({ text: sentence(i), grade: i % 3 }),
  documents: (i) => ({ text: `${sentence(i)}. ${sentence(i + 1)}! ${sentence(i + 2)}.` }),
  entailments: (i) => ({ premise: sentence(i), hypothesis: sentence(i + (i % 2)), label: i % 2 }),
  similarities: (i) => ({ sentence1: sentence(i), sentence2: sentence(i + 1), score: (i % 5) + 0.5 }),
  preferences: (i) => ({ prompt: `${sentence(i)}?`, chosen: ' yes', rejected: ' no' }),
  feedback: (i) => ({ prompt: `${sentence(i)}?`, completion: i % 2 ? ' yes' : ' no', label: i % 2 === 1 }),
  groups: (i) => ({ text: sentence(i), category: ANIMALS[i % 5] }),
  domains: (i) => ({ text: sentence(i), label: i % 2 ? 'good' : 'bad', domain: i % 3 ? 'source' : 'web' }),
  tasks: (i) =>
    i % 2
      ? {
          task: 'mood',
          text: `${sentence(i)} ${i % 4 === 1 ? 'happily' : 'sadly'}`,
          label: i % 4 === 1 ? 'good' : 'bad',
        }
      : { task: 'animals', text: sentence(i), topics: ANIMALS.filter((animal) => sentence(i).includes(animal)) },
  pairs: (i) => ({ query: sentence(i), positive: `${sentence(i)} today` }),
}

/** Rows, the task (or none, where the rows decide), the one that is written, and what asks the model for an answer. */
const CASES = [
  ['labels', undefined, 'sequence-classification', ['predict', 'RUN', 'the cat eats meat happily']],
  ['topics', undefined, 'multi-label-classification', ['predict', 'RUN', 'the cat eats meat']],
  ['ratings', undefined, 'regression', ['predict', 'RUN', 'the cat eats meat']],
  ['questions', undefined, 'span-extraction', ['predict', 'RUN', '--file', 'questions.jsonl']],
  ['choices', undefined, 'multiple-choice', ['predict', 'RUN', '--file', 'choices.jsonl']],
  ['grades', 'ordinal-classification', 'ordinal-classification', ['predict', 'RUN', 'the cat eats meat']],
  [
    'documents',
    'next-sentence-prediction',
    'next-sentence-prediction',
    ['predict', 'RUN', '--file', 'documents.jsonl'],
  ],
  ['documents', 'sentence-order-prediction', 'sentence-order-prediction', ['predict', 'RUN', 'One. Two.']],
  ['tags', undefined, 'token-classification', ['predict', 'RUN', 'the dog sees grass']],
  ['texts', undefined, 'causal-language-modeling', ['generate', 'RUN', 'the', '--maximum-new-tokens', '4']],
  ['texts', 'masked-language-modeling', 'masked-language-modeling', ['predict', 'RUN', 'the dog sees grass']],
  ['texts', 'permutation-language-modeling', 'permutation-language-modeling', ['predict', 'RUN', 'the dog sees grass']],
  ['texts', 'denoising', 'denoising', ['generate', 'RUN', 'the dog', '--maximum-new-tokens', '4']],
  ['alpaca', undefined, 'sequence-to-sequence', ['generate', 'RUN', 'Name animal 3', '--maximum-new-tokens', '4']],
  ['preferences', undefined, 'preferences', ['predict', 'RUN', '--file', 'preferences.jsonl', '--field', 'chosen']],
  ['preferences', 'reward-modeling', 'reward-modeling', ['predict', 'RUN', 'the cat eats meat?']],
  ['feedback', undefined, 'kto', ['generate', 'RUN', 'the', '--maximum-new-tokens', '4']],
  ['pairs', undefined, 'contrastive', ['predict', 'RUN', '--file', 'pairs.jsonl']],
  ['texts', 'autoencoder', 'autoencoder', ['predict', 'RUN', 'the dog sees grass']],
  ['groups', 'deep-clustering', 'deep-clustering', ['predict', 'RUN', 'the dog sees grass']],
  [
    'texts',
    'adversarial-text-generation',
    'adversarial-text-generation',
    ['generate', 'RUN', 'the', '--maximum-new-tokens', '4'],
  ],
  ['texts', 'replaced-token-detection', 'replaced-token-detection', ['predict', 'RUN', 'the dog sees grass']],
  ['feedback', 'instruction-tuning', 'instruction-tuning', ['generate', 'RUN', 'the', '--maximum-new-tokens', '4']],
  ['preferences', 'grpo', 'grpo', ['generate', 'RUN', 'the', '--maximum-new-tokens', '4']],
  ['labels', 'distillation', 'distillation', ['predict', 'RUN', 'the cat eats meat happily']],
  ['tasks', 'multi-task', 'multi-task', ['predict', 'RUN', '--file', 'tasks.jsonl']],
  ['domains', 'domain-adversarial', 'domain-adversarial', ['predict', 'RUN', 'the dog sees grass']],
  ['domains', 'domain-alignment', 'domain-alignment', ['predict', 'RUN', 'the dog sees grass']],
] as const

describe('attune init', () => {
  beforeAll(() => {
    mkdirSync(join(root, 'node_modules/@attune'), { recursive: true })
    symlinkSync(fileURLToPath(new URL('../../text', import.meta.url)), join(root, 'node_modules/@attune/text'))
    for (const [name, row] of Object.entries(ROWS)) {
      const rows = Array.from({ length: 50 }, (_, i) => JSON.stringify(row(i)))
      writeFileSync(join(root, `${name}.jsonl`), `${rows.join('\n')}\n`)
    }
  })

  it.each(CASES)(
    'writes from %s (task %s) a configuration of %s that trains, evaluates and answers',
    async (data, task, expected, ask) => {
      const config = `${expected}.yaml`
      const said = await attune(
        'init',
        ...(task === undefined ? [] : [task]),
        '--data',
        `${data}.jsonl`,
        '--output',
        config,
        ...(task === 'distillation' ? ['--from', join('sequence-classification', 'model')] : []),
      )
      expect(said).toContain(`Wrote ${config}: ${expected}`)
      const small = ['--set', 'training.epochs=1', '--directory', expected]
      await attune('train', config, ...small)
      const { scores } = JSON.parse(await attune('evaluate', expected, '--split', 'validation', '--json')) as {
        scores: { loss: { value: number } }
      }
      expect(scores.loss.value).toBeGreaterThan(0)
      const answer = await attune(...ask.map((word) => (word === 'RUN' ? expected : word)))
      expect(answer).not.toContain('"error"')
      expect(answer.length).toBeGreaterThan(0)
    },
    120_000,
  )

  it.each([
    ['entailments', 'sequence-classification', ['text: premise', 'pair: hypothesis']],
    ['similarities', 'regression', ['text: sentence1', 'pair: sentence2', 'number: score']],
  ])(
    'recognizes %s as %s of a pair of texts',
    async (data, task, lines) => {
      const said = await attune('init', '--data', `${data}.jsonl`, '--output', `${data}.yaml`)
      expect(said).toContain(`: ${task}, which fits`)
      const text = readFileSync(join(root, `${data}.yaml`), 'utf8')
      expect(lines.filter((line) => !text.includes(`  ${line}\n`))).toEqual([])
      expect(text).toContain('field: [ ')
    },
    60_000,
  )

  it('writes what to run next for a model that generates text, and rejects its prediction', async () => {
    const out = await attune('train', 'sequence-to-sequence.yaml', '--set', 'training.epochs=1', '--directory', 'next')
    expect(out).toContain('npx attune generate')
    expect(out).not.toContain('attune predict')
    await expect(attune('predict', 'next', 'Name animal 3')).rejects.toThrow(/NOT_A_CLASSIFIER[^]*npx attune generate/)
  }, 120_000)

  it('recognizes numbers with decimals as ratings, unless another field has labels', () => {
    expect(recognizeRows([{ text: 'a lamp', score: 0.5 }]).task).toBe('regression')
    expect(recognizeRows([{ text: 'a lamp', score: 0.5, label: 'good' }]).task).toBe('sequence-classification')
    expect(recognizeRows([{ text: 'a lamp', score: 2 }]).task).toBe('sequence-classification')
  })

  it('starts from a saved model with `--from`, and keeps its tokenizer', async () => {
    const saved = join('sequence-classification', 'model')
    await attune('init', '--data', 'labels.jsonl', '--from', saved, '--output', 'more.yaml')
    const text = readFileSync(join(root, 'more.yaml'), 'utf8')
    expect(text).toMatch(/use: bert\n {2}from: sequence-classification\/model/)
    expect(text).toMatch(/use: wordpiece\n {2}path: sequence-classification\/model/)
    const out = await attune('train', 'more.yaml', '--set', 'training.epochs=1')
    expect(out).toContain('The model is in')
  }, 120_000)

  it('requires a trained model for distillation', async () => {
    await expect(attune('init', 'distillation', '--data', 'labels.jsonl', '--output', 'no.yaml')).rejects.toThrow(
      /BAD_USAGE[^]*--from FOLDER/,
    )
  })

  it('reports what would fit preferences between conversations', async () => {
    const turns = (content: string) => [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content },
    ]
    writeFileSync(join(root, 'chats.jsonl'), `${JSON.stringify({ chosen: turns('Hi'), rejected: turns('No') })}\n`)
    await expect(attune('init', '--data', 'chats.jsonl', '--output', 'chats.yaml')).rejects.toThrow(
      /preferences between conversations[^]*objective: preferences/,
    )
  })

  it('rejects an unknown task with the nearest one', async () => {
    await expect(attune('init', 'token-clasification', '--data', 'tags.jsonl', '--output', 'no.yaml')).rejects.toThrow(
      /Did you mean token-classification/,
    )
  })

  it('reports what would fit chat messages, and writes nothing', async () => {
    const row = {
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi' },
      ],
    }
    writeFileSync(join(root, 'chat.jsonl'), `${JSON.stringify(row)}\n`)
    await expect(attune('init', '--data', 'chat.jsonl', '--output', 'chat.yaml')).rejects.toThrow(
      /chat messages[^]*instruction-tuning/,
    )
  })
})
