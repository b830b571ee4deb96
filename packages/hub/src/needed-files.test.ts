import { describe, expect, it } from '@jest/globals'
import { neededFiles } from './needed-files.js'

const needed = (paths: readonly string[], extra?: readonly string[]): readonly string[] =>
  [...neededFiles('org/name', paths, extra)].sort()

describe('the needed files of a model', () => {
  it('are its configuration and one format of weights, without files of other frameworks', () => {
    const bert = ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt']
    const others = [
      '.gitattributes',
      'LICENSE',
      'coreml/x.mlpackage',
      'flax_model.msgpack',
      'onnx/model.onnx',
      'pytorch_model.bin',
      'tf_model.h5',
    ]
    expect(needed([...bert, ...others])).toEqual(bert)
  })

  it('are the shards and their index, without other formats', () => {
    const shards = [
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]
    expect(needed(['config.json', 'consolidated.safetensors', 'original/params.json', ...shards])).toEqual([
      'config.json',
      ...shards,
    ])
    expect(needed(['model.safetensors', 'model.fp16.safetensors'])).toEqual(['model.safetensors'])
    expect(needed(['model.fp16.safetensors'])).toEqual(['model.fp16.safetensors'])
  })

  it('are an adapter, a model with its pooling layers, or the only GGUF file', () => {
    const adapter = ['adapter_config.json', 'adapter_model.safetensors']
    expect(needed([...adapter, 'adapter_model.bin'])).toEqual(adapter)
    const sentences = [
      '1_Pooling/config.json',
      '2_Dense/model.safetensors',
      'config.json',
      'model.safetensors',
      'modules.json',
    ]
    expect(needed(sentences)).toEqual(sentences)
    expect(needed(['small.gguf'])).toEqual(['small.gguf'])
  })

  it('include older tokenizer files and every chat template', () => {
    const files = [
      'additional_chat_templates/tool_use.jinja',
      'model.safetensors',
      'source.spm',
      'target.spm',
      'vocab.json',
    ]
    expect(needed([...files, 'additional_chat_templates/deep/x.jinja'])).toEqual(files)
  })

  it('are listed in the error if the choice is ambiguous, and can be selected', () => {
    const ggufs = ['q4.gguf', 'q8.gguf']
    expect(() => needed(ggufs)).toThrow(/q4\.gguf, q8\.gguf[^]*--file q4\.gguf/)
    expect(needed(ggufs, ['q8.gguf'])).toEqual(['q8.gguf'])
    expect(() => needed(['config.json'])).toThrow(/no weights/)
    expect(() => needed(['config.json', 'pytorch_model.bin'])).toThrow(/pickle/)
  })
})
