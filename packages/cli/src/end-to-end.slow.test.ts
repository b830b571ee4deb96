import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { commandsIn } from './command.test.fixture.js'
import type { EngineReport } from './commands/doctor.js'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'attune-cli-'))
const { attune, attuneAlone, close } = commandsIn(root)
afterAll(() => {
  close()
  rmSync(root, { recursive: true })
})

/** The scores of an evaluation, in an event and on the command line. */
interface Scored {
  readonly type?: string
  readonly scores: { readonly loss: { readonly value: number } }
}

const ANIMALS = ['the cat purrs', 'a dog barks loudly', 'the horse gallops', 'small birds sing', 'a cow grazes']
const TOOLS = [
  'the compiler emits code',
  'a debugger steps',
  'the linker joins objects',
  'tests run in parallel',
  'a parser reads',
]
const rows = Array.from({ length: 60 }, (_, i) => ({
  text: `${(i % 2 === 0 ? ANIMALS : TOOLS)[(i * 3) % 5]} number ${i}`,
  label: i % 2 === 0 ? 'animal' : 'tool',
}))
const jsonLines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')
const file = (name: string, content: string): string => {
  writeFileSync(join(root, name), content)
  return name
}

/** A configuration of a very small BERT; `change` replaces text in it. */
function config(name: string, change: (text: string) => string = (text) => text): string {
  const text = `seed: 1
directory: ${name}
data:
  train: { use: jsonl, path: train.jsonl }
  test: { use: jsonl, path: test.jsonl }
tokenizer: { use: wordpiece, vocabularySize: 200 }
model: { use: bert, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, maxPositionEmbeddings: 24 }
objective: sequence-classification
engine: tfjs-cpu
metric: [accuracy, f1]
callback: { use: checkpoint, everySteps: 5 }
tracker: [console, jsonl]
training: { epochs: 2, batchSize: 8, learningRate: 0.01 }
`
  return file(`${name}.yaml`, change(text))
}

/** A tracker that sends its own process a signal at a step: as Ctrl-C does, and at the same step however busy the machine is. */
const interruptAt = (step: number): string =>
  file(
    `interrupt-${step}.mjs`,
    `import { TRACKER, definePlugin } from ${JSON.stringify(pathToFileURL(join(main, '../../../core/dist/index.js')).href)}
const create = () => (events) =>
  events.subscribe((event) => event.type === 'step.completed' && event.step === ${step} && process.kill(process.pid, 'SIGINT'))
const options = { safeParse: () => ({ success: true, data: {} }), shape: {} }
export default definePlugin({ kind: TRACKER, name: 'interrupt', summary: 'Sends SIGINT', options, create })
`,
  )

beforeAll(() => {
  file('train.jsonl', jsonLines(rows))
  file('test.jsonl', jsonLines(rows.slice(0, 12)))
})

describe('train, evaluate and predict', () => {
  it('saves a model that can be evaluated and predicts', async () => {
    const trained = await attuneAlone(['train', config('first')])
    expect([trained.code, trained.err]).toEqual([0, expect.stringContaining('finished at step 14')])
    expect(trained.out).toContain('attune evaluate')
    expect(readdirSync(join(root, 'first/model')).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    expect(readFileSync(join(root, 'first/events.jsonl'), 'utf8').trim().split('\n').length).toBeGreaterThan(20)

    const evaluated = await attuneAlone(['evaluate', 'first'])
    expect(evaluated.code).toBe(0)
    expect(evaluated.out).toMatch(/test: 12 examples/)
    expect(evaluated.out).toMatch(/accuracy +\d\.\d{4}/)
    expect(evaluated.out).toMatch(/animal +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} +6/)
    const json = JSON.parse((await attune(['evaluate', 'first', '--data', 'train.jsonl', '--json'])).out) as {
      examples: number
    }
    expect(json.examples).toBe(60)

    const given = await attuneAlone(['predict', 'first', 'the cat sings', 'a compiler runs'])
    const predictions = given.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; label: string; scores: object })
    expect(predictions.map(({ text }) => text)).toEqual(['the cat sings', 'a compiler runs'])
    expect(Object.keys(predictions[0]!.scores)).toEqual(['animal', 'tool'])
    expect((await attuneAlone(['predict', 'first'], 'the cat sings\na compiler runs\n')).out).toBe(given.out)
    expect((await attune(['predict', 'first', '--file', 'test.jsonl'])).out.trim().split('\n')).toHaveLength(12)

    // The other fields of a row are kept, but not those named like a part of the prediction; a blank line of text is a row.
    file('ids.jsonl', jsonLines([{ id: 7, text: 'the cat sings', label: 'unknown', error: 'none', ['__proto__']: 1 }]))
    const [row] = (await attune(['predict', 'first', '--file', 'ids.jsonl'])).out.trim().split('\n')
    expect(row).toBe(given.out.split('\n')[0]!.replace(/}$/, ',"id":7,"__proto__":1}'))
    file('lines.txt', 'the cat sings\n\na compiler runs\n')
    const lines = (await attune(['predict', 'first', '--file', 'lines.txt'])).out.trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual([
      'the cat sings',
      '',
      'a compiler runs',
    ])
    expect((await attune(['predict', 'first'], 'the cat sings\n\na compiler runs\n')).out.trim().split('\n')).toEqual(
      lines,
    )
    // A long command line: the model folder names no engine, so that ONNX Runtime is used, whose telemetry reads it.
    expect(
      JSON.parse((await attuneAlone(['predict', 'first/model', `the cat ${'sings '.repeat(10_000)}`])).out),
    ).toMatchObject({
      truncated: true,
    })

    const saved = await attune(['predict', 'first/model', 'the cat sings', 'a compiler runs'])
    const rounded = (out: string): string => out.replace(/\d\.\d+/g, (digits) => Number(digits).toFixed(4))
    expect(rounded(saved.out)).toBe(rounded(given.out))
  })

  it('predicts after the source folders of tokenizer and model are removed', async () => {
    cpSync(join(root, 'first/model'), join(root, 'start'), { recursive: true })
    const change = (text: string): string =>
      text
        .replace('use: wordpiece, vocabularySize: 200', 'use: wordpiece, path: start, addedTokens: [purrs]')
        .replace(/model: .*/, 'model: { use: bert, from: start, resizeEmbeddings: true }')
    expect((await attune(['train', config('moved', change)])).code).toBe(0)
    const before = await attune(['predict', 'moved', 'the cat purrs'])
    expect([before.code, before.err]).toEqual([0, ''])
    rmSync(join(root, 'start'), { recursive: true })
    expect((await attune(['predict', 'moved', 'the cat purrs'])).out).toBe(before.out)
  })

  it('rejects prediction with a model saved without a classifier', async () => {
    cpSync(join(root, 'first/model'), join(root, 'words'), { recursive: true })
    const saved = JSON.parse(readFileSync(join(root, 'words/config.json'), 'utf8')) as object
    file('words/config.json', JSON.stringify({ ...saved, architectures: ['BertForMaskedLM'] }))
    const { code, err } = await attune(['predict', 'words', 'a cat'])
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/expected a classifier of this model family.*"BertForMaskedLM"/),
    ])
  })

  it('saves and stops at Ctrl-C within an epoch, prints the command that resumes, and resumes', async () => {
    // All rows are in memory when the first step is taken: nothing but the steps themselves lets a signal through.
    file('many.jsonl', jsonLines(Array.from({ length: 12 }, () => rows).flat()))
    const longer = config('stopped', (text) =>
      text
        .replace('train.jsonl', 'many.jsonl')
        .replace('tfjs-cpu', 'onnxruntime')
        .replace('everySteps: 5', 'everySteps: 500')
        .replace('[console, jsonl]', `[console, ./${interruptAt(20)}]`),
    )
    const stopped = await attuneAlone(['train', longer])
    expect(stopped.code).toBe(130)
    expect(stopped.err).toContain(`npx attune train --resume ${join(root, 'stopped')}`)
    const [, step] = /stopped \(Ctrl-C\) at step (\d+)/.exec(stopped.err) ?? []
    expect([20, 21]).toContain(Number(step))
    expect(existsSync(join(root, 'stopped/model'))).toBe(false)
    for (const use of ['predict', 'evaluate', 'generate']) {
      const { code, err } = await attune([use, 'stopped', ...(use === 'evaluate' ? [] : ['a cat'])])
      expect([code, err]).toEqual([2, expect.stringContaining(`RUN_UNFINISHED: the run in`)])
      expect(err).toMatch(/latest checkpoint is of step 2[01]\nFinish it: npx attune train --resume/)
    }
    const resumed = await attuneAlone(['train', '--resume', 'stopped'])
    expect([resumed.code, resumed.err]).toEqual([0, expect.stringContaining('finished at step 162')])
  })

  it('resumes LoRA training after Ctrl-C with equal weights, and saves merged weights with equal scores', async () => {
    const lora = (name: string): string =>
      config(
        name,
        (text) =>
          `${text.replace('epochs: 2', 'epochs: 20').replace('tfjs-cpu', 'onnxruntime').replace('callback', 'adapter: { use: lora, rank: 2, dropout: 0.1 }\ncallback')}`,
      )
    expect((await attune(['train', lora('lora')])).code).toBe(0)
    const stopped = await attuneAlone(['train', lora('lora-stopped'), '--set', `tracker=[./${interruptAt(33)}]`])
    expect(stopped.code).toBe(130)
    expect((await attuneAlone(['train', '--resume', 'lora-stopped'])).code).toBe(0)
    const weights = (name: string): Buffer => readFileSync(join(root, name, 'model/model.safetensors'))
    expect(weights('lora-stopped').equals(weights('lora'))).toBe(true)
    expect(weights('lora').toString('latin1')).not.toContain('lora_')
    const events = readFileSync(join(root, 'lora/events.jsonl'), 'utf8').trim().split('\n')
    const scored = events
      .map((line) => JSON.parse(line) as Scored)
      .findLast(({ type }) => type === 'evaluation.completed')
    const saved = JSON.parse((await attune(['evaluate', 'lora', '--split', 'validation', '--json'])).out) as Scored
    expect(saved.scores.loss.value).toBeCloseTo(scored!.scores.loss.value, 5)
  })

  it('writes a configuration that trains unchanged', async () => {
    file('pets.csv', `body,kind\n${rows.map(({ text, label }) => `"${text}",${label}`).join('\n')}\n`)
    const written = await attune(['init', '--data', 'pets.csv', '--output', 'pets.yaml'])
    expect([written.code, written.out]).toEqual([0, expect.stringContaining('text from "body", label from "kind"')])
    expect((await attune(['init', '--data', 'pets.csv', '--output', 'pets.yaml'])).err).toContain('FILE_EXISTS')
    const small = ['model.hiddenSize=16', 'model.intermediateSize=16', 'model.numHiddenLayers=1', 'training.epochs=1']
    const trained = await attune(['train', 'pets.yaml', ...small.flatMap((setting) => ['--set', setting])])
    expect([trained.code, trained.err]).toEqual([0, expect.stringContaining('finished')])
    // What it says to do next can be done as it stands: there is no test split, and the text is called "body".
    const commands = [...trained.out.matchAll(/attune (.+)$/gm)].map(([, line]) =>
      line!.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', '')),
    )
    expect(commands.map(([name]) => name)).toEqual(['evaluate', 'predict'])
    for (const each of commands) expect(await attune(each)).toMatchObject({ code: 0, err: '' })
    const [fromFile, fromField] = [
      await attune(['predict', 'run', '--file', 'pets.csv']),
      await attune(['predict', 'run', '--file', 'test.jsonl', '--field', 'text']),
    ]
    expect([fromFile, fromField].map(({ out }) => out.trim().split('\n').length)).toEqual([60, 12])
    // No engine is configured: the choice is reported, and kept for a resumed run.
    expect(trained.err).toContain('first installed engine that starts here, by preference')
    const kept = JSON.parse(readFileSync(join(root, 'run/config.json'), 'utf8')) as { engine: { use: string } }
    expect(kept.engine.use).toBe('onnxruntime')
  })
})

describe('doctor', () => {
  it('measures every engine on each available device, and reports what the others require', async () => {
    const { code, out } = await attuneAlone(['doctor', '--json'])
    const found = JSON.parse(out) as { node: string; cores: number; engines: EngineReport[] }
    expect([code, found.node, found.cores]).toEqual([0, process.versions.node, cpus().length])
    expect(found.engines.map(({ name }) => name)).toEqual(expect.arrayContaining(['onnxruntime', 'tfjs-cpu']))
    for (const { name, device, usable, about, gigaflops } of found.engines) {
      if (usable) expect([name, gigaflops]).toEqual([name, expect.any(Number)])
      else
        expect([name, about]).toEqual([name, expect.stringContaining(device === undefined ? 'npm ' : '`device: cpu`')])
    }
    const devices = found.engines.filter(({ name }) => name === 'onnxruntime').map(({ device }) => device)
    expect(devices).toEqual(['cpu', 'webgpu', 'cuda'])
    expect(found.engines.find(({ name }) => name === 'tfjs-cpu')).not.toHaveProperty('device')
    const [first, last] = ['onnxruntime', 'tfjs-cpu'].map((name) => found.engines.find((each) => each.name === name)!)
    expect([first!.usable, last!.usable]).toEqual([true, true])
    expect(found.engines.indexOf(first!)).toBeLessThan(found.engines.indexOf(last!))
  })
})

describe('invalid input gets one clear message', () => {
  const refused = async (args: readonly string[]): Promise<string> => {
    const { code, out, err } = await attune(args)
    expect([code, out]).toEqual([2, ''])
    return err
  }
  const train = (name: string, change: (text: string) => string): Promise<string> =>
    refused(['train', config(name, change)])

  it('an unknown plugin: the nearest name and the install command', async () => {
    const wrong = config('a', (text) => text.replace('use: bert', 'use: brt'))
    const { code, out, err: message } = await attuneAlone(['train', wrong])
    expect([code, out]).toEqual([2, ''])
    expect(message).toMatch(/UNKNOWN_PLUGIN: unknown model "brt" \(a.yaml:\d+\)/)
    expect(message).toMatch(/Did you mean (\w+ or )?bert\?/)
    expect(message).not.toContain('npm install')
  })

  it('a misspelt option and a misspelt key: both at once, with their lines', async () => {
    const message = await train('b', (text) =>
      text.replace('vocabularySize', 'vocabularysize').replace('hiddenSize', 'hidenSize'),
    )
    expect(message).toMatch(/2 errors/)
    expect(message).toMatch(/tokenizer: unknown `vocabularysize` \(did you mean `vocabularySize`\?\) \(b.yaml:6\)/)
    expect(message).toMatch(/model: unknown `hidenSize` \(did you mean `hiddenSize`\?\) \(b.yaml:7\)/)
    expect(await train('c', (text) => text.replace('training:', 'trainig:'))).toMatch(
      /unknown `trainig` \(did you mean `training`/,
    )
  })

  it('an option out of range: its value', async () =>
    expect(await train('d', (text) => text.replace('learningRate: 0.01', 'learningRate: -1'))).toMatch(
      /`training.learningRate`.*got -1 \(d.yaml:13\)/,
    ))

  it('a missing configuration and a missing data file: the nearest names', async () => {
    config('real')
    expect(await refused(['train', 'rael.yaml'])).toMatch(/FILE_NOT_FOUND[\s\S]*Did you mean real.yaml/)
    expect(await train('e', (text) => text.replace('path: train.jsonl', 'path: trian.jsonl'))).toMatch(
      /FILE_NOT_FOUND[\s\S]*train.jsonl/,
    )
  })

  it('invalid YAML: line and column', async () =>
    expect(await train('f', (text) => text.replace('tracker: [console, jsonl]', 'tracker: [console, jsonl'))).toMatch(
      /BAD_YAML.*\(f.yaml:\d+:\d+\)/,
    ))

  it('YAML with a repeated key or expanding aliases', async () => {
    expect(await train('g', (text) => `${text}seed: 2\n`)).toMatch(/BAD_YAML.*unique/)
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
      .split('')
      .map((k, i) => `${k}: &${k} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`)
      .join('\n')}\n`
    file('bomb.yaml', bomb)
    expect(await refused(['train', 'bomb.yaml'])).toMatch(/BAD_YAML/)
  })

  it('a malformed line of data: its number; skipped with `onBadRow: skip`', async () => {
    file('bad.jsonl', `${jsonLines(rows.slice(0, 30))}{"text": "half a row"\n${jsonLines(rows.slice(30))}`)
    const bad = (text: string): string => text.replace('path: train.jsonl', 'path: bad.jsonl')
    expect(await train('h', bad)).toMatch(/BAD_ROW.*bad.jsonl:31/)
    const skipped = await attune([
      'train',
      config('i', (text) => bad(text).replace('bad.jsonl', 'bad.jsonl, onBadRow: skip')),
    ])
    expect([skipped.code, skipped.err]).toEqual([0, expect.stringContaining('rejected 1 row of train')])
    const [rejected] = readFileSync(join(root, 'i/rejects/train.jsonl'), 'utf8').trim().split('\n')
    expect(JSON.parse(rejected!)).toMatchObject({ line: 31, raw: '{"text": "half a row"' })
  })

  it('a row without a required field: its number; skipped with `onBadRow: skip`', async () => {
    file(
      'lacking.jsonl',
      `${jsonLines(rows.slice(0, 30))}{"text": "a robin", "lable": "animal"}\n${jsonLines(rows.slice(30))}`,
    )
    const lacking = (more: string) => (text: string) => text.replace('path: train.jsonl', `path: lacking.jsonl${more}`)
    expect(await train('o', lacking(''))).toMatch(/BAD_ROW.*"label"; similar fields: "lable".*lacking.jsonl:31/)
    const skipped = await attune(['train', config('o', lacking(', onBadRow: skip'))])
    expect([skipped.code, skipped.err]).toEqual([0, expect.stringContaining('rejected 1 row of train')])
  })

  it('settings that would be ignored', async () => {
    for (const args of [
      ['train', '--resume', 'first', '--seed', '2'],
      ['train', 'first', '--set', 'training.epochs=9'],
      ['predict', 'first', 'a cat', '--file', 'test.jsonl'],
      ['evaluate', 'first', '--split', 'test', '--data', 'test.jsonl'],
      ['train', 'first.yaml', '--set', 'seed.x=1'],
    ])
      expect(await refused(args)).toMatch(/^BAD_USAGE: /)
    expect(await refused(['plugins', 'list', '--kind', 'optimzer'])).toMatch(/UNKNOWN_KIND[\s\S]*optimizer/)
    expect(await refused(['init', '--data', 'train.jsonl', '--output', 'no/such/folder/x.yaml'])).toMatch(
      /CANNOT_WRITE/,
    )
    expect(await refused(['train', config('p'), '--directory', 'train.jsonl'])).toMatch(
      /BAD_ARGUMENT: expected a folder for the run, got the file/,
    )
  })

  it('an empty dataset', async () => {
    file('empty.jsonl', '')
    expect(await train('j', (text) => text.replace('path: train.jsonl', 'path: empty.jsonl'))).toMatch(
      /EMPTY_DATASET|TOO_FEW_EXAMPLES/,
    )
    const withValidation = (text: string): string =>
      text.replace('path: train.jsonl }', 'path: train.jsonl }\n  validation: { use: jsonl, path: empty.jsonl }')
    expect(await train('k', withValidation)).toMatch(/EMPTY_DATASET.*empty.jsonl/)
  })

  it('a label that the training data lack, before the first step', async () => {
    file('other.jsonl', jsonLines([...rows.slice(0, 5), { text: 'a rock', label: 'animals' }]))
    const refusedFirst = (text: string): string =>
      text.replace('path: train.jsonl }', 'path: train.jsonl }\n  validation: { use: jsonl, path: other.jsonl }')
    const message = await train('l', refusedFirst)
    expect(message).toMatch(/UNKNOWN_LABEL: expected one of 2 labels \(animal, tool\), got "animals"/)
    expect(message).toContain('Did you mean animal?')
    expect(message).not.toContain('step 1/')
    const mistyped = await train('l', (text) => text.replace('everySteps: 5', 'best: acuracy'))
    expect(mistyped).toMatch(/UNKNOWN_SCORE/)
    expect(mistyped).not.toContain('step 1/')
    expect((await attune(['train', config('l')])).code).toBe(0)
  })

  it('texts longer than the model allows: truncated, counted and reported', async () => {
    file('long.jsonl', jsonLines(rows.map((row, i) => (i < 7 ? { ...row, text: `${row.text} `.repeat(20) } : row))))
    const { code, err } = await attune([
      'train',
      config('m', (text) => text.replace('path: train.jsonl', 'path: long.jsonl')),
    ])
    const counts = [...err.matchAll(/truncated (\d) texts? of (?:train|validation) to 24 tokens/g)].map(([, n]) =>
      Number(n),
    )
    expect([code, counts.reduce((a, b) => a + b, 0)]).toEqual([0, 7])
  })

  it('a used folder, a folder without a run, an unknown split, an unknown command', async () => {
    file('used.txt', '')
    expect(await train('first', (text) => text)).toMatch(/RUN_EXISTS[\s\S]*--resume/)
    expect(await refused(['train', '--resume', '.'])).toMatch(/NOT_A_RUN/)
    expect(await refused(['train', '.'])).toMatch(/NOT_A_RUN/)
    expect(await refused(['evaluate', 'first', '--split', 'tset'])).toMatch(/NO_SUCH_SPLIT/)
    const unknown = await attuneAlone(['predct', 'first'])
    expect(unknown).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Did you mean predict') })
    expect(await refused(['train', 'first.yaml', '--set', 'nonsense'])).toMatch(/BAD_USAGE/)
  })

  it('a NaN loss: the step, and the learning rate to lower', async () => {
    const message = await train('n', (text) =>
      text
        .replace('learningRate: 0.01', 'learningRate: 10')
        .replace('engine:', 'optimizer: { use: sgd, weightDecay: 10000 }\nengine:'),
    )
    expect(message).toMatch(/NON_FINITE_LOSS.*at step \d+/)
    expect(message).toContain('training.learningRate (now 10)')
    expect(readdirSync(join(root, 'n/checkpoints'))).toEqual(['5'])
  })
})
