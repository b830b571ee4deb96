import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeSafetensors } from '@attune/weights'
import { commandsIn } from './command.test.fixture.js'

const root = mkdtempSync(join(tmpdir(), 'attune-writing-'))
const { attune, attuneAlone, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

const SENTENCES = ['the cat sat on the mat', 'the dog ran to the door', 'one two three four five']

describe('a trained decoder', () => {
  beforeAll(async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${JSON.stringify({ text: SENTENCES[i % 3] })}\n`)
    writeFileSync(join(root, 'train.jsonl'), rows.join(''))
    writeFileSync(
      join(root, 'writer.yaml'),
      `seed: 1
directory: writer
data:
  train: { use: jsonl, path: train.jsonl }
  validation: { use: jsonl, path: train.jsonl }
tokenizer: { use: wordpiece, vocabularySize: 120 }
model: { use: gpt2, nEmbd: 32, nLayer: 1, nHead: 2, nPositions: 24, residPdrop: 0, embdPdrop: 0, attnPdrop: 0 }
objective: causal-language-modeling
engine: onnxruntime
metric: token-accuracy
training: { epochs: 12, batchSize: 6, learningRate: 0.01 }
`,
    )
    const { code, err } = await attuneAlone(['train', 'writer.yaml'])
    expect([code, err]).toEqual([0, ''])
  }, 120_000)

  it('streams the continuation of a prompt', async () => {
    const { code, out } = await attuneAlone(['generate', 'writer', 'the cat'])
    expect([code, out]).toEqual([0, ' sat on the mat\n'])
  })

  it('continues several prompts from standard input, as JSON lines in their order', async () => {
    const { out } = await attuneAlone(['generate', 'writer', '--beams', '2'], 'one two\n\nthe dog ran\n')
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toEqual([
      { prompt: 'one two', text: ' three four five', because: 'end', score: expect.any(Number) },
      { prompt: 'the dog ran', text: ' to the door', because: 'end', score: expect.any(Number) },
    ])
  })

  it('stops at stop strings and length limits', async () => {
    const { out } = await attune(['generate', 'writer', 'one', '--maximum-new-tokens', '2'])
    expect(out).toBe(' two three\n')
    expect((await attune(['generate', 'writer', 'one', '--json', '--stop', ' four'])).out).toBe(
      `${JSON.stringify({ prompt: 'one', text: ' two three', because: 'stop' })}\n`,
    )
  })

  it('generates only text that a pattern, a schema or keywords allow', async () => {
    const written = async (...flags: string[]): Promise<string> =>
      (await attune(['generate', 'writer', 'the', '--maximum-new-tokens', '12', ...flags])).out.trim()
    expect(await written('--pattern', '(dog|one) (sat|four)')).toMatch(/^(dog|one) (sat|four)$/)
    expect(await written('--keyword', 'five', 'mat')).toMatch(/^(?=.*five)(?=.*mat)/)
    const { code, err } = await attune(['generate', 'writer', 'x', '--pattern', '(?=a)'])
    expect([code, err.split(':')[0]]).toEqual([2, 'BAD_PATTERN'])
    expect(await written('--pattern', '(dog|one) (sat|four)', '--keyword', 'dog', 'four')).toBe('dog four')
    const both = await attune(['generate', 'writer', 'x', '--pattern', 'a', '--keyword', 'b'])
    expect(both.err).toMatch(/^NOT_SPELLABLE/)
  })

  it('grows its embeddings for added tokens only with `resizeEmbeddings`', async () => {
    const row = (text: string): string => `${JSON.stringify({ text })}\n`
    writeFileSync(join(root, 'tools.jsonl'), Array.from({ length: 60 }, () => row('call <tool> now')).join(''))
    const config = (more: string, directory: string): string => `seed: 1
directory: ${directory}
data: { train: { use: jsonl, path: tools.jsonl }, validation: { use: jsonl, path: tools.jsonl } }
tokenizer: { use: wordpiece, path: writer/model, addedTokens: [<tool>] }
model: { use: gpt2, from: writer/model${more} }
objective: causal-language-modeling
engine: onnxruntime
training: { epochs: 12, batchSize: 6, learningRate: 0.01 }
`
    writeFileSync(join(root, 'grown.yaml'), config(', resizeEmbeddings: true', 'grown'))
    writeFileSync(join(root, 'small.yaml'), config('', 'small'))
    expect((await attune(['train', 'small.yaml'])).err).toMatch(/^VOCABULARY_MISMATCH.*resizeEmbeddings/s)
    expect((await attune(['train', 'grown.yaml'])).code).toBe(0)
    const { code, out } = await attune(['generate', 'grown', 'call'])
    expect([code, out.trim()]).toEqual([0, '<tool> now'])
  }, 120_000)

  it('trains the rows of added tokens beside an adapter only with `trainAddedTokens`', async () => {
    const row = `${JSON.stringify({ text: 'call <tool> now <end>' })}\n`
    writeFileSync(join(root, 'calls.jsonl'), row.repeat(60))
    const config = (directory: string, more: string): string => `seed: 1
directory: ${directory}
data: { train: { use: jsonl, path: calls.jsonl }, validation: { use: jsonl, path: calls.jsonl } }
tokenizer: { use: wordpiece, path: writer/model, addedTokens: [<tool>, <end>] }
model: { use: gpt2, from: writer/model, resizeEmbeddings: true }
objective: causal-language-modeling
adapter: { use: lora, rank: 2 }
engine: onnxruntime
training: { epochs: 1, batchSize: 6, learningRate: 0.01 }
${more}`
    writeFileSync(join(root, 'frozen.yaml'), config('frozen-rows', ''))
    writeFileSync(join(root, 'rows.yaml'), config('trained-rows', 'trainAddedTokens: true\n'))
    for (const name of ['frozen', 'rows']) expect((await attune(['train', `${name}.yaml`])).err).toBe('')
    const events = (folder: string) => readFileSync(join(root, folder, 'events.jsonl'), 'utf8')
    expect(events('frozen-rows')).toMatch(/rows of 2 added tokens are frozen/)
    expect(events('trained-rows')).not.toMatch(/are frozen/)
    const words = (folder: string) => {
      const path = join(root, folder, 'model/model.safetensors')
      const { values, shape } = decodeSafetensors(readFileSync(path), path).tensors['transformer.wte.weight']!
      return Array.from({ length: shape[0]! }, (_, i) => String(values.subarray(i * shape[1]!, (i + 1) * shape[1]!)))
    }
    const [frozen, trained] = [words('frozen-rows'), words('trained-rows')]
    const changed = trained.flatMap((row, i) => (row === frozen[i] ? [] : [i]))
    expect(changed).toEqual([trained.length - 2, trained.length - 1])
  }, 120_000)

  it('generates with an adapter that is saved beside its base model', async () => {
    const rows = Array.from({ length: 60 }, () => `${JSON.stringify({ text: 'one dog ran to the mat' })}\n`)
    writeFileSync(join(root, 'other.jsonl'), rows.join(''))
    writeFileSync(
      join(root, 'prompts.yaml'),
      `seed: 1
directory: prompts
data: { train: { use: jsonl, path: other.jsonl }, validation: { use: jsonl, path: other.jsonl } }
tokenizer: { use: wordpiece, path: writer/model }
model: { use: gpt2, from: writer/model }
objective: causal-language-modeling
adapter: { use: prefix-tuning, tokens: 6 }
engine: onnxruntime
training: { epochs: 20, batchSize: 6, learningRate: 0.2 }
`,
    )
    expect((await attune(['train', 'prompts.yaml'])).code).toBe(0)
    const text = async (folder: string) => (await attune(['generate', folder, 'one'])).out
    expect(await text('prompts')).toBe(' dog ran to the mat\n')
    cpSync(join(root, 'prompts/model'), join(root, 'base-only'), { recursive: true })
    rmSync(join(root, 'base-only/adapter'), { recursive: true })
    expect(await text('base-only')).toBe(' two three four five\n')
    const { scores } = JSON.parse((await attune(['evaluate', 'prompts', '--split', 'validation', '--json'])).out) as {
      scores: { loss: { value: number } }
    }
    expect(scores.loss.value).toBeLessThan(0.5)
  }, 120_000)

  it('reports unused tensors of a checkpoint on standard error', async () => {
    cpSync(join(root, 'writer/model'), join(root, 'odd'), { recursive: true })
    const file = join(root, 'odd/model.safetensors')
    const bytes = readFileSync(file)
    const end = 8 + Number(bytes.readBigUInt64LE(0))
    const header = JSON.parse(bytes.subarray(8, end).toString()) as Record<string, unknown>
    const [from, to] = [bytes.length - end, bytes.length - end + 4]
    const added = { dtype: 'F32', shape: [1], data_offsets: [from, to] }
    const text = Buffer.from(JSON.stringify({ ...header, 'transformer.h.0.extra.weight': added }))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(text.length))
    writeFileSync(file, Buffer.concat([length, text, bytes.subarray(end), Buffer.alloc(4)]))
    const { code, out, err } = await attune(['generate', 'odd', 'the cat'])
    expect([code, out]).toEqual([0, ' sat on the mat\n'])
    expect(err).toMatch(/^warning: .* \(1\): transformer\.h\.0\.extra\.weight\n$/)
  })

  it('follows generation_config.json unless flags override it', async () => {
    cpSync(join(root, 'writer/model'), join(root, 'asks'), { recursive: true })
    const asks = (settings: object): void =>
      writeFileSync(join(root, 'asks/generation_config.json'), JSON.stringify(settings))
    asks({ max_new_tokens: 2, typical_p: 0.5 })
    const { out, err } = await attune(['generate', 'asks', 'the cat'])
    expect([out, err]).toEqual([
      ' sat on\n',
      'warning: settings of generation_config.json that are not followed: typical_p\n',
    ])
    expect((await attune(['generate', 'asks', 'the cat', '--maximum-new-tokens', '1'])).out).toBe(' sat\n')
    asks({ num_beams: 2, top_p: 4 })
    expect((await attune(['generate', 'asks', 'the cat'])).err).toMatch(/^BAD_GENERATION_CONFIG: .*topP/)
  })

  it('chats over several turns with a chat template', async () => {
    writeFileSync(join(root, 'plain.jinja'), '{{ cls_token }}{{ messages[-1].content }}')
    const { code, out } = await attuneAlone(['chat', 'writer', '--template', 'plain.jinja'], 'the cat sat\none two\n')
    expect(code).toBe(0)
    expect(out).toContain(' on the mat\n')
    expect(out).toContain(' three four five\n')
  })

  it('rejects a chat without a template, flags out of range, and a folder without a model', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, err } = await attune(args)
      return `${code} ${err}`
    }
    expect(await refused('chat', 'writer')).toMatch(/^2 NO_CHAT_TEMPLATE/)
    expect(await refused('generate', 'writer', 'x', '--top-p', '2')).toMatch(/^2 BAD_OPTIONS: --top-p/)
    expect(await refused('generate', '.', 'x')).toMatch(/^2 FILE_NOT_FOUND: expected config\.json/)
    writeFileSync(join(root, 'config.json'), '{"model_type": "mamba"}')
    expect(await refused('generate', '.', 'x')).toMatch(/^2 UNKNOWN_MODEL_TYPE.*mamba/)
    writeFileSync(join(root, 'config.json'), '[1')
    expect(await refused('generate', '.', 'x')).toMatch(/^2 BAD_MODEL_FOLDER/)
  })
})

it('generates from a GGUF file, whose metadata hold configuration and tokenizer', async () => {
  const folder = new URL('../../weights/golden/gguf/', import.meta.url)
  const { prompt, text } = JSON.parse(readFileSync(new URL('llama-text.json', folder), 'utf8')) as Record<
    string,
    string
  >
  const file = fileURLToPath(new URL('llama.gguf', folder))
  const { code, out } = await attune(['generate', file, prompt!, '--maximum-new-tokens', '8'])
  expect([code, out.trim()]).toEqual([0, text!.trim()])
})

describe('a trained encoder–decoder', () => {
  const turned = (text: string): string => text.split(' ').reverse().join(' ')
  beforeAll(async () => {
    const row = (text: string): string => `${JSON.stringify({ text, target: turned(text) })}\n`
    writeFileSync(join(root, 'pairs.jsonl'), Array.from({ length: 60 }, (_, i) => row(SENTENCES[i % 3]!)).join(''))
    writeFileSync(
      join(root, 'turner.yaml'),
      `seed: 1
directory: turner
data:
  train: { use: jsonl, path: pairs.jsonl }
  validation: { use: jsonl, path: pairs.jsonl }
tokenizer: { use: wordpiece, vocabularySize: 120 }
model: { use: t5, dModel: 32, dKv: 8, dFf: 64, numLayers: 1, numHeads: 2, nPositions: 24, dropoutRate: 0 }
objective: sequence-to-sequence
engine: onnxruntime
metric: token-accuracy
training: { epochs: 20, batchSize: 6, learningRate: 0.005 }
`,
    )
    const { code, err } = await attune(['train', 'turner.yaml'])
    expect([code, err]).toEqual([0, ''])
  }, 120_000)

  it('generates the learned target, greedily and with beam search, without the source text', async () => {
    for (const beams of ['1', '3']) {
      const { out } = await attune(['generate', 'turner', '--beams', beams], `${SENTENCES.join('\n')}\n`)
      const written = out.trim().split('\n')
      expect(written.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(SENTENCES.map(turned))
    }
  })
})
