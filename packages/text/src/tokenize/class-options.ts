import { isRecord } from '@attune/core'

type Json = Readonly<Record<string, unknown>>

/** Tokenizer classes whose options decide on the normalizer, and on the byte-level pre-tokenizer. */
const [LIKE_BERT, LIKE_GPT2] = [
  /^(?:Bert|DistilBert|Electra|MobileBert|ConvBert|MPNet|SqueezeBert|Funnel|LayoutLM)Tokenizer(?:Fast)?$/,
  /^(?:GPT2|Roberta|Bart|Longformer|LED|MVP)Tokenizer(?:Fast)?$/,
]

/** A section with the given fields, if it is of the type and the fields are given. */
function changed(section: unknown, type: string, fields: Json): unknown {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return isRecord(section) && section['type'] === type ? { ...section, ...Object.fromEntries(given) } : section
}

const flagOf = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)

/**
 * The content of a tokenizer.json with the options of its tokenizer class in the tokenizer_config.json, which take precedence in
 * transformers: `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` of BERT, `add_prefix_space` of GPT-2 and RoBERTa.
 */
export function withClassOptions(content: unknown, config: Json): unknown {
  const name = config['tokenizer_class']
  if (!isRecord(content) || typeof name !== 'string') return content
  if (LIKE_BERT.test(name))
    return {
      ...content,
      normalizer: changed(content['normalizer'], 'BertNormalizer', {
        lowercase: flagOf(config['do_lower_case']),
        strip_accents: flagOf(config['strip_accents']),
        handle_chinese_chars: flagOf(config['tokenize_chinese_chars']),
      }),
    }
  if (!LIKE_GPT2.test(name)) return content
  const fields = { add_prefix_space: flagOf(config['add_prefix_space']) }
  return {
    ...content,
    pre_tokenizer: changed(content['pre_tokenizer'], 'ByteLevel', fields),
    post_processor: changed(content['post_processor'], 'RobertaProcessing', fields),
  }
}
